"""Makes the seeds of the fuzzing programs (safetensors 0.8, NumPy): python3 make.py, in this folder."""
import json, struct
import numpy as np
from safetensors.numpy import save

def put(name, content):
    with open(name, "wb") as file:
        file.write(content)

def framed(header, data=b""):
    header = header.encode()
    return struct.pack("<Q", len(header)) + header + data

put("safetensors/empty", save({}))
put("safetensors/two", save({"w": np.arange(6, dtype="f4").reshape(2, 3), "b": np.zeros(0, "f8")}))
put("safetensors/types", save({k: np.ones(2, k) for k in ["f2", "f4", "f8", "i1", "i4", "i8", "u1", "?"]}))
put("safetensors/texts", save({"n": np.array(1.5)}, {"key": "text", "a": "\u00e4\U0001f600"}))
put("safetensors/escapes", framed(r'{"\ud83d\ude00\n":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}} ', b"1"))
put("safetensors/bf16", framed('{"x":{"dtype":"BF16","shape":[1,2],"data_offsets":[0,4]}}', b"1234"))
put("safetensors/hole", framed('{"x":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}', b"12"))
put("safetensors/large", framed('{"x":{"dtype":"F64","shape":[4294967296,4294967296],"data_offsets":[0,0]}}'))
put("npy/large", b"\x93NUMPY\x01\x00\x48\x00" + b"{'descr':'<f8','fortran_order':False,'shape':(4294967296,4294967296)}".ljust(71) + b"\n")
put("csv/plain", b"1,2,3\n4.5,-6,+7e-3\n")
put("csv/spaces", b" 1 , nan\r\n\r\ninf,-1e308\n")
put("csv/short", b"1,2\n3\n")
put("json/state", json.dumps({"epoch": 3, "lr": [0.1, 1e-05], "names": ["a", "\u00e4"], "none": None, "ok": True, "in": {}}).encode())
put("json/numbers", b"[0,-0,1e5,-1.5E-3,9223372036854775807,9223372036854775808,18446744073709551616]")
put("json/escapes", rb'"\ud83d\ude00\"\\\/\b\f\n\r\t\u0000"')
put("json/deep", b"[" * 30 + b"]" * 30)
