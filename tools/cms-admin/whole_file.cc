#include "tools/cms-admin/whole_file.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include <fmt/format.h>
#include <unistd.h>

#include "tools/cms-admin/command.h"

namespace admin {

namespace fs = std::filesystem;

WholeFile::WholeFile(const std::string& path) : path_(path) {
  std::error_code error;
  const auto status = fs::status(path, error);
  if (fs::exists(status) && !fs::is_regular_file(status)) {
    if (fs::is_directory(status)) throw Failure(kUsage, path + " is a directory: name a file");
    file_.reset(std::fopen(path.c_str(), "wb"));
  } else {
    // A link stays one: what it points to is replaced.
    if (const auto real = fs::canonical(path, error); !error) path_ = real.string();
    beside_ = path_ + ".XXXXXX";
    const int descriptor = ::mkstemp(beside_.data());
    if (descriptor < 0) beside_.clear();
    if (descriptor >= 0) file_.reset(::fdopen(descriptor, "wb"));
  }
  if (!file_) Fail();
}

WholeFile::~WholeFile() {
  if (!beside_.empty()) ::unlink(beside_.c_str());
}

void WholeFile::Fail() const {
  throw Failure(kUsage, fmt::format("{} cannot be written: {}", path_, std::strerror(errno)));
}

void WholeFile::Write(std::string_view octets) {
  if (std::fwrite(octets.data(), 1, octets.size(), file_.get()) != octets.size()) Fail();
}

void WholeFile::Finish() {
  if (std::fclose(file_.release()) != 0) Fail();
  if (beside_.empty()) return;
  if (::rename(beside_.c_str(), path_.c_str()) != 0) Fail();
  beside_.clear();
}

}  // namespace admin
