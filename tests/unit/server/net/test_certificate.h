#pragma once

#include <filesystem>
#include <string>

namespace server_test {

/// A self-signed certificate for "localhost" and its key, as PEM files in a directory of their own that goes
/// with this.
class TestCertificate {
 public:
  /// `digest`: of its signature, as OpenSSL names it.
  explicit TestCertificate(const char* digest = "SHA256");
  ~TestCertificate();
  TestCertificate(const TestCertificate&) = delete;
  TestCertificate& operator=(const TestCertificate&) = delete;

  std::string certificate_file() const { return directory_ / "cert.pem"; }
  std::string key_file() const { return directory_ / "key.pem"; }

 private:
  std::filesystem::path directory_;
};

}  // namespace server_test
