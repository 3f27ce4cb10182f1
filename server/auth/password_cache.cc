#include "server/auth/password_cache.h"

#include <cstring>

#include <sodium.h>

namespace server::auth {

PasswordCache::PasswordCache(const Clock& clock) : clock_(clock) {
  randombytes_buf(key_.data(), key_.size());
}

std::size_t PasswordCache::FirstBytes::operator()(const Digest& digest) const {
  std::size_t value = 0;
  std::memcpy(&value, digest.data(), sizeof value);
  return value;
}

PasswordCache::Digest PasswordCache::DigestOf(std::string_view hash, std::string_view password) const {
  const auto octets = [](std::string_view text) {
    return reinterpret_cast<const unsigned char*>(text.data());
  };
  static constexpr unsigned char kBetween = 0;  // neither holds one, so no pair reads like another
  crypto_generichash_state state;
  Digest digest;
  crypto_generichash_init(&state, key_.data(), key_.size(), digest.size());
  crypto_generichash_update(&state, octets(hash), hash.size());
  crypto_generichash_update(&state, &kBetween, 1);
  crypto_generichash_update(&state, octets(password), password.size());
  crypto_generichash_final(&state, digest.data(), digest.size());
  return digest;
}

bool PasswordCache::Contains(std::string_view hash, std::string_view password) const {
  const auto digest = DigestOf(hash, password);
  const std::lock_guard lock(mutex_);
  const auto found = until_.find(digest);
  return found != until_.end() && clock_.Now() < found->second;
}

void PasswordCache::Remember(std::string_view hash, std::string_view password) {
  const auto digest = DigestOf(hash, password);
  const auto now = clock_.Now();
  const std::lock_guard lock(mutex_);
  if (until_.size() >= kMaxEntries)
    std::erase_if(until_, [&](const auto& entry) { return entry.second <= now; });
  if (until_.size() >= kMaxEntries) until_.clear();
  until_[digest] = now + kLifetime;
}

std::size_t PasswordCache::size() const {
  const std::lock_guard lock(mutex_);
  return until_.size();
}

}  // namespace server::auth
