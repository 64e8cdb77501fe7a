#include "machine_code.h"

#include <cxxabi.h>
#include <elf.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <stdexcept>

namespace levin::machine_code {
namespace {

template <class T>
T read(std::string_view bytes, std::size_t at) {
  if (at > bytes.size() || bytes.size() - at < sizeof(T))
    throw std::runtime_error("machine code: it ends too early");
  T value;
  std::memcpy(&value, bytes.data() + at, sizeof(T));
  return value;
}

class Elf {
 public:
  explicit Elf(std::string_view bytes) : bytes_(bytes), header_(read<Elf64_Ehdr>(bytes, 0)) {
    for (int i = 0; i < header_.e_shnum; ++i)
      sections_.push_back(
          read<Elf64_Shdr>(bytes, header_.e_shoff + std::size_t{header_.e_shentsize} * i));
  }
  static bool is(std::string_view bytes) { return bytes.starts_with(ELFMAG); }

  const Elf64_Ehdr& header() const { return header_; }
  const std::vector<Elf64_Shdr>& sections() const { return sections_; }
  std::string_view content(const Elf64_Shdr& section) const {
    return section.sh_type == SHT_NOBITS ? std::string_view()
                                         : bytes_.substr(section.sh_offset, section.sh_size);
  }
  std::string_view name(const Elf64_Shdr& section) const {
    return string(sections_.at(header_.e_shstrndx), section.sh_name);
  }
  std::string_view symbol(uint32_t number) const {
    for (const Elf64_Shdr& section : sections_)
      if (section.sh_type == SHT_SYMTAB)
        return string(sections_.at(section.sh_link),
                      read<Elf64_Sym>(content(section), number * sizeof(Elf64_Sym)).st_name);
    throw std::runtime_error("machine code: no table of symbols");
  }

 private:
  std::string_view string(const Elf64_Shdr& table, std::size_t at) const {
    const std::string_view rest = content(table).substr(at);
    return rest.substr(0, rest.find('\0'));
  }

  std::string_view bytes_;
  Elf64_Ehdr header_;
  std::vector<Elf64_Shdr> sections_;
};

std::string readable(std::string_view symbol) {
  int status = 0;
  const std::unique_ptr<char, void (*)(void*)> text(
      abi::__cxa_demangle(std::string(symbol).c_str(), nullptr, nullptr, &status), std::free);
  if (!text) return std::string(symbol);
  std::string name = text.get();
  if (name.starts_with("void ")) name.erase(0, 5);
  constexpr std::string_view kUnnamed = "(anonymous namespace)::";
  for (std::size_t at; (at = name.find(kUnnamed)) != name.npos;) name.erase(at, kUnnamed.size());
  if (!name.ends_with(')')) return name;
  std::size_t open = name.size() - 1;  // of the parameters
  for (int depth = 1; depth > 0 && open > 0;) {
    --open;
    depth += name[open] == ')' ? 1 : name[open] == '(' ? -1 : 0;
  }
  return name.substr(0, open);
}

// An instruction has 128 bits. Bits 73 to 75 of one that goes to memory: unsigned and signed 8 and 16
// bits, then 32, 64 and 128.
std::vector<Instruction> instructions(std::string_view code) {
  constexpr int kBytes[8] = {1, 1, 2, 2, 4, 8, 16, 32};
  std::vector<Instruction> result;
  for (std::size_t at = 0; at < code.size(); at += 16)
    result.push_back({static_cast<int>(read<uint64_t>(code, at) & 0x1ff),
                      kBytes[read<uint64_t>(code, at + 8) >> 9 & 7]});
  return result;
}

// The attributes in a section ".nv.info..": f(number, content), for those that have a content.
template <class F>
void each_attribute(std::string_view section, F f) {
  constexpr int kHasContent = 4;
  for (std::size_t at = 0; at < section.size();) {
    const auto form = read<uint8_t>(section, at);
    const auto size = read<uint16_t>(section, at + 2);
    if (form == kHasContent) f(read<uint8_t>(section, at + 1), section.substr(at + 4, size));
    at += form == kHasContent ? 4 + size : 4;
  }
}

constexpr std::string_view kCode = ".text.", kAttributes = ".nv.info";

void add_kernels(const Elf& cubin, std::vector<Kernel>* kernels) {
  std::map<std::string_view, Kernel> found;
  for (const Elf64_Shdr& section : cubin.sections()) {
    const std::string_view name = cubin.name(section);
    if (!name.starts_with(kCode)) continue;
    const std::string_view symbol = name.substr(kCode.size());
    found[symbol] = {readable(symbol),
                     static_cast<int>(cubin.header().e_flags >> 8 & 0xff),
                     -1,
                     -1,
                     0,
                     instructions(cubin.content(section))};
  }
  enum { kMostThreads = 0x05, kFrame = 0x11, kRegisters = 0x2f };
  for (const Elf64_Shdr& section : cubin.sections()) {
    const std::string_view name = cubin.name(section);
    if (!name.starts_with(kAttributes)) continue;
    each_attribute(cubin.content(section), [&](int number, std::string_view content) {
      if (number == kMostThreads)
        found.at(name.substr(kAttributes.size() + 1)).threads = read<int32_t>(content, 0);
      if (number != kFrame && number != kRegisters) return;
      const auto kernel = found.find(cubin.symbol(read<uint32_t>(content, 0)));
      if (kernel == found.end()) return;  // a function that kernels call: it is part of their code
      (number == kFrame ? kernel->second.local_bytes : kernel->second.registers) =
          read<int32_t>(content, 4);
    });
  }
  for (auto& [symbol, kernel] : found) {
    if (kernel.registers < 0 || kernel.local_bytes < 0)
      throw std::runtime_error("machine code: nothing is told of " + kernel.name);
    kernels->push_back(std::move(kernel));
  }
}

// Containers behind each other; in each, entries that have a header too: the machine code of an
// architecture, or PTX.
void add_containers(std::string_view section, std::vector<Kernel>* kernels) {
  constexpr uint32_t kContainer = 0xba55ed50;
  constexpr uint16_t kMachineCode = 2;
  for (std::size_t at = 0; at < section.size();) {
    if (read<uint32_t>(section, at) == 0) {  // between containers
      at += 4;
      continue;
    }
    if (read<uint32_t>(section, at) != kContainer)
      throw std::runtime_error("machine code: an unknown container");
    std::size_t entry = at + read<uint16_t>(section, at + 6);
    at = entry + read<uint64_t>(section, at + 8);
    while (entry < at) {
      const auto kind = read<uint16_t>(section, entry);
      const auto header = read<uint32_t>(section, entry + 4);
      const auto size = read<uint64_t>(section, entry + 8);
      if (kind == kMachineCode) {
        const std::string_view content = section.substr(entry + header, size);
        if (!Elf::is(content)) throw std::runtime_error("machine code: it is compressed");
        add_kernels(Elf(content), kernels);
      }
      entry += header + size;
    }
  }
}

}  // namespace

int Kernel::count(int operation) const {
  return std::ranges::count(code, operation, &Instruction::operation);
}
int Kernel::count(int operation, int bytes) const {
  return std::ranges::count_if(
      code, [&](const Instruction& i) { return i.operation == operation && i.bytes == bytes; });
}
int Kernel::count_local() const { return count(kLoadLocal) + count(kStoreLocal); }
int Kernel::count_atomics() const {
  // ATOM, ATOM.CAS, ATOMS, ATOMS.CAS, RED, REDG, ATOMG, ATOMG.CAS
  constexpr int kAtomics[] = {0x18a, 0x18b, 0x18c, 0x18d, 0x18e, 0x1a6, 0x1a8, 0x1a9};
  return std::ranges::count_if(
      code, [&](const Instruction& i) { return std::ranges::count(kAtomics, i.operation) > 0; });
}

std::vector<Kernel> kernels_of(const std::string& file) {
  std::ifstream stream(file, std::ios::binary);
  if (!stream) throw std::runtime_error("machine code: cannot read " + file);
  const std::string bytes{std::istreambuf_iterator<char>(stream), {}};
  std::vector<Kernel> kernels;
  if (!Elf::is(bytes)) throw std::runtime_error("machine code: not in the format ELF: " + file);
  const Elf elf(bytes);
  for (const Elf64_Shdr& section : elf.sections())
    if (elf.name(section) == ".nv_fatbin") add_containers(elf.content(section), &kernels);
  return kernels;
}

}  // namespace levin::machine_code
