#pragma once

#include <string>
#include <utility>

#include "server/http/services.h"
#include "server/net/asio.h"
#include "storage/store/account_changes.h"

namespace server::http {

/// The octets of the answer to GET .../changes, a portion at a time (README.md, "What has changed"). Nothing
/// is held of the store between two portions: what happens meanwhile may be told here, and is told next time.
///
/// Lifetime   short; `services` outlives it.
/// Thread     Next() on the storage pool, one at a time.
class ChangesText {
 public:
  ChangesText(const Services& services, storage::AccountId account, storage::AccountChanges changes,
              storage::ModSeq since)
      : store_(services.store), account_(account), changes_(std::move(changes)), since_(since) {
    if (changes_.reset) since_ = {};
  }

  bool done() const { return done_; }
  /// Some 64 KiB, or what is left.
  storage::Result<std::string> Next();

 private:
  storage::MailStore& store_;
  const storage::AccountId account_;
  const storage::AccountChanges changes_;
  storage::ModSeq since_;
  std::size_t next_folder_ = 0;
  bool begun_ = false;
  bool first_ = true;
  bool done_ = false;
};

}  // namespace server::http
