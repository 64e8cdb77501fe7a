"""Makes the .npy files of this folder (NumPy 2.x): python3 make.py, in this folder."""
import numpy as np
from numpy.lib import format as npy

kinds = ["<f4", "<f8", "<f2", "<i8", "<i4", "|i1", "|u1", "|b1"]
for kind in kinds:
    np.save(kind[1:] + ".npy", np.arange(6).reshape(2, 3).astype(kind))
np.save("big_f4.npy", np.arange(6, dtype=">f4").reshape(2, 3))
np.save("big_i8.npy", np.arange(6, dtype=">i8").reshape(2, 3))
np.save("big_f2.npy", np.arange(6, dtype=">f2").reshape(2, 3))
np.save("fortran.npy", np.asfortranarray(np.arange(24, dtype="f4").reshape(2, 3, 4)))
np.save("number.npy", np.float64(1.5))
np.save("vector.npy", np.array([1.5, -2, np.inf], dtype="f4"))
np.save("empty.npy", np.zeros((2, 0, 3), dtype="i4"))
np.save("eight.npy", np.arange(6, dtype="u1").reshape(1, 1, 1, 2, 1, 1, 1, 3))
for version in [(2, 0), (3, 0)]:
    with open(f"version{version[0]}.npy", "wb") as file:
        npy.write_array(file, np.arange(6, dtype="f4").reshape(2, 3), version)
