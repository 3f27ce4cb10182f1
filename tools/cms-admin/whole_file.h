#pragma once

#include <cstdio>
#include <memory>
#include <string>
#include <string_view>

namespace admin {

/// A file that is there once all of it is: what had its name before stays until then, and if it never comes
/// to that. What is no regular file (a device, a pipe) is written to as it stands. Its owner's alone, as all
/// that cms-admin writes. Throws Failure.
class WholeFile {
 public:
  explicit WholeFile(const std::string& path);
  ~WholeFile();
  WholeFile(const WholeFile&) = delete;
  WholeFile& operator=(const WholeFile&) = delete;

  void Write(std::string_view octets);
  /// All has been written.
  void Finish();

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  [[noreturn]] void Fail() const;

  std::string path_;
  std::string beside_;  ///< what is written until it is whole; empty: path_ itself
  std::unique_ptr<std::FILE, Close> file_;
};

}  // namespace admin
