#include "storage/kv/log_check.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <fstream>
#include <optional>
#include <string_view>
#include <vector>

namespace storage::kv {
namespace {

// RocksDB's log (its wiki, "Write Ahead Log File Format"): blocks of 32 KiB, each a sequence of
//   crc32c u32 le, masked, of type and octets | length u16 le | type u8 | octets
// A record is one kFull, or kFirst kMiddle* kLast. Fewer than 7 octets at the end of a block are unused.
// The record is a write batch: sequence u64 le | count u32 le | entries; our mark is the first entry: 0x03 |
// length | LogMark.
constexpr std::size_t kBlock = 32768;
constexpr std::size_t kHeader = 7;
enum Type : unsigned char { kFull = 1, kFirst = 2, kMiddle = 3, kLast = 4 };
constexpr std::size_t kBatchHeader = 12;
constexpr std::string_view kMagic{"cms\x01", 4};
constexpr std::size_t kMark = 20;
constexpr char kLogDataTag = 0x03;

constexpr std::array<std::uint32_t, 256> MakeCrcTable() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t crc = i;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) ? 0x82f63b78U : 0U);
    table[i] = crc;
  }
  return table;
}

std::uint32_t MaskedCrc(std::string_view octets) {
  static constexpr auto table = MakeCrcTable();
  std::uint32_t crc = 0xffffffff;
  for (const char octet : octets) crc = (crc >> 8) ^ table[(crc ^ static_cast<unsigned char>(octet)) & 0xff];
  crc ^= 0xffffffff;
  return ((crc >> 15) | (crc << 17)) + 0xa282ead8U;
}

template <class T>
T Little(std::string_view octets) {
  T value = 0;
  for (std::size_t i = sizeof(T); i-- > 0;)
    value = static_cast<T>((value << 8) | static_cast<unsigned char>(octets[i]));
  return value;
}

void PutLittle64(std::string& out, std::uint64_t value) {
  for (int i = 0; i < 8; ++i) out += static_cast<char>(value >> (8 * i));
}

/// What is needed of one record.
struct Record {
  std::uint64_t first;  ///< sequence numbers
  std::uint64_t last;
  std::optional<LogMark> mark;
};

std::optional<Record> ParseRecord(std::string_view octets) {
  if (octets.size() < kBatchHeader) return std::nullopt;
  const auto first = Little<std::uint64_t>(octets);
  const auto count = Little<std::uint32_t>(octets.substr(8));
  Record record{.first = first, .last = first + count - (count > 0 ? 1 : 0), .mark = {}};
  octets.remove_prefix(kBatchHeader);
  if (octets.size() >= 2 + kMark && octets[0] == kLogDataTag && octets[1] == static_cast<char>(kMark) &&
      octets.substr(2, kMagic.size()) == kMagic) {
    record.mark = LogMark{.opening = Little<std::uint64_t>(octets.substr(6)),
                          .synced = Little<std::uint64_t>(octets.substr(14))};
  }
  return record;
}

/// Reads one log file, past bad spots too.
class LogFile {
 public:
  explicit LogFile(const std::filesystem::path& path) : in_(path, std::ios::binary) {}

  void Scan() {
    std::vector<char> buffer(kBlock);
    for (std::uint64_t offset = 0; in_; offset += kBlock) {
      in_.read(buffer.data(), kBlock);
      const auto got = static_cast<std::size_t>(in_.gcount());
      ScanBlock(std::string_view(buffer.data(), got), offset);
      if (got < kBlock) return;
    }
  }

  std::optional<std::uint64_t> bad_at() const { return bad_at_; }
  bool lost() const { return lost_; }

 private:
  /// 0: no whole valid fragment here.
  static std::size_t FragmentSize(std::string_view block) {
    if (block.size() < kHeader) return 0;
    const auto type = static_cast<unsigned char>(block[6]);
    const std::size_t length = Little<std::uint16_t>(block.substr(4));
    if (type < kFull || type > kLast || kHeader + length > block.size()) return 0;
    return MaskedCrc(block.substr(6, 1 + length)) == Little<std::uint32_t>(block) ? kHeader + length : 0;
  }

  void ScanBlock(std::string_view block, std::uint64_t offset) {
    const bool whole = block.size() == kBlock;
    while (block.size() >= kHeader) {
      if (const auto size = FragmentSize(block)) {
        Take(static_cast<unsigned char>(block[6]), block.substr(kHeader, size - kHeader));
        block.remove_prefix(size);
        offset += size;
        continue;
      }
      // A record that ends early, at the end of the file, is torn, and nothing else.
      const std::size_t length = Little<std::uint16_t>(block.substr(4));
      if (!whole && kHeader + length > block.size()) return;
      if (!bad_at_) bad_at_ = offset;
      record_.reset();
      // Look for the next fragment, octet by octet, since the length is not to be trusted either.
      do {
        block.remove_prefix(1);
        ++offset;
      } while (block.size() >= kHeader && FragmentSize(block) == 0);
    }
  }

  void Take(unsigned char type, std::string_view octets) {
    if (type == kFull || type == kFirst) record_.emplace();
    if (!record_) return;  // the rest of a record whose beginning is bad
    if (record_->size() < 64) record_->append(octets.substr(0, 64));
    if (type != kFull && type != kLast) return;
    if (const auto record = ParseRecord(*record_)) Judge(*record);
    record_.reset();
  }

  void Judge(const Record& record) {
    if (record.mark && !opening_) opening_ = record.mark->opening;
    if (!bad_at_) {
      last_good_ = record.last;
      return;
    }
    if (!record.mark || record.mark->opening != opening_) return;
    if (!first_after_) first_after_ = record.first;
    // Synced is what lies before `first_after_` if this record knows so of `first_after_` itself, or of what
    // followed the last good record.
    if (record.mark->synced >= *first_after_ || (last_good_ && record.mark->synced > *last_good_))
      lost_ = true;
  }

  std::ifstream in_;
  std::optional<std::string> record_;  ///< the beginning of the one being read
  std::optional<std::uint64_t> opening_;
  std::optional<std::uint64_t> last_good_;
  std::optional<std::uint64_t> bad_at_;
  std::optional<std::uint64_t> first_after_;
  bool lost_ = false;
};

}  // namespace

std::string LogMark::Encode() const {
  std::string octets(kMagic);
  PutLittle64(octets, opening);
  PutLittle64(octets, synced);
  return octets;
}

Result<LogTail> CheckLogs(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> logs;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    std::error_code gone;
    if (entry.path().extension() == ".log" && entry.file_size(gone) > 0 && !gone)
      logs.push_back(entry.path());
  }
  std::sort(logs.begin(), logs.end());
  LogTail tail = LogTail::kWhole;
  for (const auto& path : logs) {
    LogFile log(path);
    log.Scan();
    if (log.lost()) {
      return Fail(Errc::kCorruption, "damaged store: " + path.string() + ", octet " +
                                         std::to_string(*log.bad_at()) +
                                         ": a synced record does not match its checksum");
    }
    tail = log.bad_at() ? LogTail::kGarbage : LogTail::kWhole;
  }
  return tail;
}

}  // namespace storage::kv
