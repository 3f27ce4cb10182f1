#pragma once

#include <memory>
#include <string>

#include "protocol/imap/command/urlauth.h"
#include "protocol/imap/write/urlauth.h"
#include "server/imap/wire.h"
#include "server/references/part_reader.h"
#include "server/references/url_authority.h"

namespace server::imap {

/// One URLFETCH at work, as a FetchRun is: Produce() runs on the storage pool and fills the output up to
/// about kProduce octets, the session sends them, and so on.
///
/// Lifetime   one command; store, authority, command and `out` outlive it.
class UrlFetchRun {
 public:
  static constexpr std::size_t kProduce = 256 * 1024;

  UrlFetchRun(storage::MailStore& store, references::UrlAuthority& authority, references::Bearer bearer,
              storage::Actor actor, const protocol::command::UrlFetch& cmd, Output& out)
      : store_(store), authority_(authority), bearer_(bearer), actor_(actor), cmd_(cmd), out_(out) {}
  UrlFetchRun(const UrlFetchRun&) = delete;

  /// True when everything has been written.
  storage::Result<bool> Produce();

  /// The answer has begun, so that nothing else can be said before it ends.
  bool begun() const { return response_ != nullptr; }

 private:
  storage::Result<> Begin(const protocol::command::UrlFetch::Request& request);

  storage::Result<> WriteOctets();

  storage::MailStore& store_;
  references::UrlAuthority& authority_;
  const references::Bearer bearer_;
  const storage::Actor actor_;
  const protocol::command::UrlFetch& cmd_;
  Output& out_;
  std::unique_ptr<protocol::write::UrlFetchResponse> response_;
  std::size_t next_ = 0;                             ///< of the requests
  std::unique_ptr<references::PartReader> sending_;  ///< a literal is half written
  bool close_ = false;                               ///< with a ")" behind it
};

}  // namespace server::imap
