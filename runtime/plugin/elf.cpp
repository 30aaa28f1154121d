// SPDX-License-Identifier: Apache-2.0
#include "runtime/plugin/elf.hpp"

#include "runtime/plugin/file.hpp"

#include <elf.h>

#include <algorithm>
#include <cstring>
#include <optional>

namespace backplane {
namespace {

#if defined(__x86_64__)
constexpr std::uint16_t kMachine = EM_X86_64;
constexpr const char* kMachineName = "x86-64";
#elif defined(__aarch64__)
constexpr std::uint16_t kMachine = EM_AARCH64;
constexpr const char* kMachineName = "AArch64";
#else
#error "name this machine's ELF number"
#endif

constexpr std::string_view kEntryPrefix = "bp_plugin_entry_v";
constexpr std::string_view kHostPrefix = "bp_";

// Where the dynamic section says that things are, as addresses.
struct DynamicTable {
  std::uint64_t symbols = 0;
  std::uint64_t strings = 0;
  std::uint64_t string_bytes = 0;
  std::uint64_t gnu_hash = 0;
  std::uint64_t hash = 0;
  std::uint64_t runpath = 0;
  bool has_runpath = false;
  std::vector<std::uint64_t> needed;
};

class ElfReader {
 public:
  ElfReader(std::string name, const InputFile& file) : name_(std::move(name)), file_(file) {}

  Result<ElfReport> read() {
    if (Status status = read_header(); !status) return status.error();
    if (!read_program_headers()) return damaged("the program headers");
    if (!read_dynamic()) return damaged("the dynamic section");
    if (!read_strings()) return damaged("the string table");
    const std::optional<std::uint64_t> count = symbol_count();
    if (!count || !read_symbols(*count)) return damaged("the symbol table");
    return std::move(report_);
  }

 private:
  Error damaged(const char* what) const {
    return invalid_argument(name_ + ": truncated or damaged ELF file (" + what + " of its " +
                            std::to_string(file_.size()) + " bytes); build or copy it again");
  }

  template <class T>
  bool read_values(std::uint64_t offset, std::uint64_t count, std::vector<T>& out) const {
    if (count > file_.size() / sizeof(T)) return false;
    out.resize(count);
    return file_.read(offset, out.data(), count * sizeof(T));
  }

  Status read_header() {
    char magic[SELFMAG] = {};
    if (!file_.read(0, magic, sizeof(magic)) || std::memcmp(magic, ELFMAG, SELFMAG) != 0) {
      return invalid_argument(name_ +
                              ": not a shared library (no ELF magic); name a plugin's .so file");
    }
    if (!file_.read(0, &header_, sizeof(header_))) return damaged("the ELF header");
    const bool ours = header_.e_ident[EI_CLASS] == ELFCLASS64 &&
                      header_.e_ident[EI_DATA] == ELFDATA2LSB && header_.e_machine == kMachine;
    if (!ours) {
      return invalid_argument(name_ + ": built for another machine (ELF machine " +
                              std::to_string(header_.e_machine) + "); this runtime is 64-bit " +
                              kMachineName + "; rebuild it for this machine");
    }
    if (header_.e_type != ET_DYN) {
      return invalid_argument(name_ + ": not a shared library (ELF type " +
                              std::to_string(header_.e_type) + "); link it with -shared");
    }
    return ok();
  }

  bool read_program_headers() {
    if (header_.e_phentsize != sizeof(Elf64_Phdr) || header_.e_phnum > kProgramHeadersMax ||
        !read_values(header_.e_phoff, header_.e_phnum, segments_)) {
      return false;
    }
    const auto stack = std::find_if(segments_.begin(), segments_.end(),
                                    [](const auto& one) { return one.p_type == PT_GNU_STACK; });
    report_.executable_stack = stack == segments_.end() || (stack->p_flags & PF_X) != 0;
    return true;
  }

  // The file offset of an address, if `size` bytes from there are in one loaded segment.
  std::optional<std::uint64_t> offset_of(std::uint64_t address, std::uint64_t size) const {
    for (const Elf64_Phdr& segment : segments_) {
      if (segment.p_type != PT_LOAD || address < segment.p_vaddr) continue;
      const std::uint64_t within = address - segment.p_vaddr;
      if (within > segment.p_filesz || size > segment.p_filesz - within) continue;
      if (segment.p_offset > file_.size()) return std::nullopt;
      return segment.p_offset + within;
    }
    return std::nullopt;
  }

  template <class T>
  bool read_at_address(std::uint64_t address, std::uint64_t count, std::vector<T>& out) const {
    if (count > file_.size() / sizeof(T)) return false;
    const std::optional<std::uint64_t> offset = offset_of(address, count * sizeof(T));
    return offset && read_values(*offset, count, out);
  }

  bool read_dynamic() {
    const auto segment = std::find_if(segments_.begin(), segments_.end(),
                                      [](const auto& one) { return one.p_type == PT_DYNAMIC; });
    if (segment == segments_.end()) return false;
    const std::uint64_t count = segment->p_filesz / sizeof(Elf64_Dyn);
    std::vector<Elf64_Dyn> entries;
    if (count > kDynamicEntriesMax || !read_values(segment->p_offset, count, entries)) return false;
    for (const Elf64_Dyn& entry : entries) {
      if (entry.d_tag == DT_NULL) break;
      note_dynamic(entry);
    }
    return dynamic_.symbols != 0 && dynamic_.strings != 0;
  }

  void note_dynamic(const Elf64_Dyn& entry) {
    const std::uint64_t value = entry.d_un.d_val;
    switch (entry.d_tag) {
      case DT_SYMTAB:
        dynamic_.symbols = value;
        break;
      case DT_STRTAB:
        dynamic_.strings = value;
        break;
      case DT_STRSZ:
        dynamic_.string_bytes = value;
        break;
      case DT_GNU_HASH:
        dynamic_.gnu_hash = value;
        break;
      case DT_HASH:
        dynamic_.hash = value;
        break;
      case DT_NEEDED:
        dynamic_.needed.push_back(value);
        break;
      case DT_RPATH:
      case DT_RUNPATH:
        dynamic_.runpath = value;
        dynamic_.has_runpath = true;
        break;
      default:
        break;
    }
  }

  bool read_strings() {
    if (dynamic_.string_bytes > kStringBytesMax ||
        !read_at_address(dynamic_.strings, dynamic_.string_bytes, strings_)) {
      return false;
    }
    for (const std::uint64_t offset : dynamic_.needed) {
      report_.needed.emplace_back(string_at(offset));
    }
    if (dynamic_.has_runpath) report_.runpath = string_at(dynamic_.runpath);
    return true;
  }

  std::string_view string_at(std::uint64_t offset) const {
    if (offset >= strings_.size()) return {};
    const std::uint64_t longest = std::min(strings_.size() - offset, kSymbolNameBytesMax);
    const char* const start = strings_.data() + offset;
    return {start, strnlen(start, longest)};
  }

  std::optional<std::uint64_t> symbol_count() const {
    if (dynamic_.hash != 0) {
      std::vector<std::uint32_t> head;  // number of buckets, of chains
      if (!read_at_address(dynamic_.hash, 2, head)) return std::nullopt;
      return head[1];
    }
    return gnu_symbol_count();
  }

  // The GNU table does not say its length: the last chain of the highest bucket ends it.
  std::optional<std::uint64_t> gnu_symbol_count() const {
    std::vector<std::uint32_t> head;  // buckets, first symbol, bloom words, bloom shift
    if (dynamic_.gnu_hash == 0 || !read_at_address(dynamic_.gnu_hash, 4, head)) {
      return std::nullopt;
    }
    const std::uint64_t buckets_at = dynamic_.gnu_hash + 16 + std::uint64_t{head[2]} * 8;
    std::vector<std::uint32_t> buckets;
    if (head[0] > kSymbolsMax || !read_at_address(buckets_at, head[0], buckets)) {
      return std::nullopt;
    }
    const auto highest = std::max_element(buckets.begin(), buckets.end());
    if (highest == buckets.end() || *highest < head[1]) return head[1];
    const std::uint64_t chains_at = buckets_at + std::uint64_t{head[0]} * 4;
    std::vector<std::uint32_t> link;
    for (std::uint64_t symbol = *highest; symbol < kSymbolsMax; ++symbol) {
      if (!read_at_address(chains_at + (symbol - head[1]) * 4, 1, link)) return std::nullopt;
      if ((link[0] & 1U) != 0) return symbol + 1;
    }
    return std::nullopt;
  }

  bool read_symbols(std::uint64_t count) {
    std::vector<Elf64_Sym> symbols;
    if (count > kSymbolsMax || !read_at_address(dynamic_.symbols, count, symbols)) return false;
    for (const Elf64_Sym& symbol : symbols) note_symbol(symbol);
    return true;
  }

  void note_symbol(const Elf64_Sym& symbol) {
    const std::string_view name = string_at(symbol.st_name);
    if (name.empty()) return;
    if (symbol.st_shndx == SHN_UNDEF) {
      if (name.substr(0, kHostPrefix.size()) == kHostPrefix) report_.undefined.emplace_back(name);
      return;
    }
    if (ELF64_ST_BIND(symbol.st_info) == STB_LOCAL || symbol.st_shndx == SHN_ABS) return;
    const bool entry = name.substr(0, kEntryPrefix.size()) == kEntryPrefix;
    (entry ? report_.entries : report_.exports).emplace_back(name);
  }

  std::string name_;
  const InputFile& file_;
  Elf64_Ehdr header_{};
  std::vector<Elf64_Phdr> segments_;
  DynamicTable dynamic_;
  std::vector<char> strings_;
  ElfReport report_;
};

}  // namespace

Result<ElfReport> read_elf(const std::filesystem::path& file) {
  const Result<InputFile> input = InputFile::open(file);
  if (!input) return input.error();
  return ElfReader(file.string(), *input).read();
}

}  // namespace backplane
