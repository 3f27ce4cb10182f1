#include "server/auth/guess_guard.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <iterator>

#include <sodium.h>

#include "server/net/network.h"

namespace server::auth {
namespace {

using boost::asio::ip::address;

constexpr double kFree = 2;  ///< slips of the finger
constexpr std::chrono::hours kRemembered{24};
constexpr std::size_t kSample = 16;

static_assert(crypto_shorthash_KEYBYTES == 16 && crypto_shorthash_BYTES == 8);

}  // namespace

GuessGuard::GuessGuard(const Clock& clock, Limits limits) : clock_(clock), limits_(limits) {
  randombytes_buf(secret_.data(), secret_.size());
}

GuessGuard::Key GuessGuard::KeyOf(Kind kind, const address& address, std::string_view name) const {
  std::string text(1, static_cast<char>(kind));
  text += address.to_string();
  text += ' ';
  text += name;
  std::array<unsigned char, 8> hash{};
  crypto_shorthash(hash.data(), reinterpret_cast<const unsigned char*>(text.data()), text.size(),
                   secret_.data());
  Key key = 0;
  std::memcpy(&key, hash.data(), sizeof key);
  return key;
}

GuessGuard::Keys GuessGuard::KeysOf(const address& peer, std::string_view name) const {
  const auto customer = net::CustomerOf(peer);
  return {KeyOf(Kind::kName, customer, name), KeyOf(Kind::kCustomer, customer, {}),
          KeyOf(Kind::kNetwork, net::NetworkOf(peer), {})};
}

double GuessGuard::Now(const Count& count, Time now) const {
  const std::chrono::duration<double> since = now - count.at;
  return count.failures * std::exp2(-since / std::chrono::duration<double>(limits_.half_life));
}

std::optional<std::chrono::seconds> GuessGuard::Locked(Key key, Time now) const {
  const auto found = counts_.find(key);
  if (found == counts_.end() || found->second.locked_until <= now) return std::nullopt;
  return std::chrono::ceil<std::chrono::seconds>(found->second.locked_until - now);
}

std::optional<std::chrono::seconds> GuessGuard::LockedFor(const address& peer, std::string_view name) {
  const Keys keys = KeysOf(peer, name);
  const auto now = clock_.Now();
  const std::lock_guard lock(mutex_);
  auto locked = Locked(keys.name, now);
  if (IsKnown(keys.name, now)) return locked;
  return std::max({locked, Locked(keys.customer, now), Locked(keys.network, now)});
}

std::chrono::milliseconds GuessGuard::Failed(const address& peer, std::string_view name) {
  const Keys keys = KeysOf(peer, name);
  const auto now = clock_.Now();
  const std::lock_guard lock(mutex_);
  Add(keys.name, limits_.per_name, now);
  Add(keys.network, limits_.per_network, now);
  const double failures = Add(keys.customer, limits_.per_customer, now);
  const double beyond = std::ceil(failures - kFree);
  if (beyond <= 0) return std::chrono::milliseconds(0);
  const int doublings = static_cast<int>(std::min(beyond - 1, 10.0));
  return std::min(limits_.max_delay, std::chrono::milliseconds(std::chrono::seconds(1)) * (1 << doublings));
}

double GuessGuard::Add(Key key, std::uint32_t limit, Time now) {
  if (!counts_.contains(key) && counts_.size() >= limits_.counts) MakeRoom(now);
  Count& count = counts_[key];
  count.failures = Now(count, now) + 1;
  count.at = now;
  if (limit > 0 && count.failures >= limit - 0.5 && count.locked_until <= now) {
    count.locked_until = now + limits_.half_life;
    ++locks_;
  }
  return count.failures;
}

/// The least guilty of some. They are found by a random key, so nobody chooses which.
void GuessGuard::MakeRoom(Time now) {
  std::size_t bucket = randombytes_uniform(static_cast<std::uint32_t>(counts_.bucket_count()));
  std::optional<Key> least;
  double failures = 0;
  std::size_t seen = 0;
  for (std::size_t i = 0; i < counts_.bucket_count() && seen < kSample; ++i) {
    for (auto at = counts_.begin(bucket); at != counts_.end(bucket); ++at, ++seen) {
      const double guilt = Now(at->second, now);
      if (!least || guilt < failures) {
        least = at->first;
        failures = guilt;
      }
    }
    bucket = (bucket + 1) % counts_.bucket_count();
  }
  if (least) counts_.erase(*least);
}

bool GuessGuard::IsKnown(Key key, Time now) const {
  const auto found = known_by_key_.find(key);
  return found != known_by_key_.end() && now - found->second->at < kRemembered;
}

void GuessGuard::Succeeded(const address& peer, std::string_view name) {
  const Key key = KeysOf(peer, name).name;
  const auto now = clock_.Now();
  const std::lock_guard lock(mutex_);
  counts_.erase(key);
  if (const auto found = known_by_key_.find(key); found != known_by_key_.end()) {
    found->second->at = now;
    known_.splice(known_.begin(), known_, found->second);
    return;
  }
  if (known_.size() >= limits_.known) {
    known_by_key_.erase(known_.back().key);
    known_.pop_back();
  }
  known_.push_front({key, now});
  known_by_key_[key] = known_.begin();
}

std::size_t GuessGuard::counts() const {
  const std::lock_guard lock(mutex_);
  return counts_.size();
}

std::size_t GuessGuard::known() const {
  const std::lock_guard lock(mutex_);
  return known_.size();
}

std::uint64_t GuessGuard::locks() const {
  const std::lock_guard lock(mutex_);
  return locks_;
}

}  // namespace server::auth
