#include "tests/unit/server/net/test_certificate.h"

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <stdexcept>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

namespace server_test {
namespace {

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

void Require(bool done, const char* what) {
  if (!done) throw std::runtime_error(what);
}

}  // namespace

TestCertificate::TestCertificate(const char* digest) {
  std::string pattern = (std::filesystem::temp_directory_path() / "cmsd_cert_XXXXXX").string();
  Require(::mkdtemp(pattern.data()) != nullptr, "mkdtemp");
  directory_ = pattern;

  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(EVP_EC_gen("P-256"), EVP_PKEY_free);
  const std::unique_ptr<X509, decltype(&X509_free)> certificate(X509_new(), X509_free);
  Require(key && certificate, "key");
  X509* x = certificate.get();
  X509_set_version(x, X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
  X509_gmtime_adj(X509_getm_notBefore(x), -3600);
  X509_gmtime_adj(X509_getm_notAfter(x), 86400);
  X509_set_pubkey(x, key.get());
  X509_NAME* name = X509_get_subject_name(x);
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("localhost"),
                             -1, -1, 0);
  X509_set_issuer_name(x, name);
  Require(X509_sign(x, key.get(), EVP_get_digestbyname(digest)) > 0, "X509_sign");

  const std::unique_ptr<std::FILE, CloseFile> cert_out(std::fopen(certificate_file().c_str(), "w"));
  const std::unique_ptr<std::FILE, CloseFile> key_out(std::fopen(key_file().c_str(), "w"));
  Require(cert_out && PEM_write_X509(cert_out.get(), x) == 1, "write certificate");
  Require(
      key_out && PEM_write_PrivateKey(key_out.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) == 1,
      "write key");
}

TestCertificate::~TestCertificate() {
  std::error_code ignored;
  std::filesystem::remove_all(directory_, ignored);
}

}  // namespace server_test
