#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace server {

/// Whether any of a few files is not what it was, going by its time and its size.
///
/// Thread: one.
class FileTimes {
 public:
  explicit FileTimes(std::vector<std::string> paths) : paths_(std::move(paths)), seen_(Look()) {}

  /// Since it was last asked, or since the beginning.
  bool Changed() {
    auto now = Look();
    return std::exchange(seen_, now) != now;
  }

 private:
  using State = std::pair<std::filesystem::file_time_type, std::uintmax_t>;
  std::vector<State> Look() const {
    std::vector<State> out;
    for (const auto& path : paths_) {
      std::error_code ignored;  // what is not there has the least time
      const auto time = std::filesystem::last_write_time(path, ignored);
      out.emplace_back(time, std::filesystem::file_size(path, ignored));
    }
    return out;
  }

  const std::vector<std::string> paths_;
  std::vector<State> seen_;
};

}  // namespace server
