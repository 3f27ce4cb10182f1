#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "protocol/imap/command/urlauth.h"
#include "protocol/imap/write/urlauth.h"
#include "server/clock.h"
#include "server/imap/wire.h"
#include "server/references/part_reader.h"
#include "server/references/url_authority.h"

namespace server::imap {

/// One URLFETCH at work, as a FetchRun is: Produce() runs on the storage pool and fills the output with about
/// a step or for about kTime, the session sends that, and so on.
///
/// Lifetime   one command; store, authority, command and `out` outlive it.
class UrlFetchRun {
 public:
  /// What is decoded may be long and its answer short: looked at after each URL.
  static constexpr std::chrono::milliseconds kTime{50};

  UrlFetchRun(storage::MailStore& store, references::UrlAuthority& authority, const Clock& clock,
              references::Bearer bearer, storage::Actor actor, const protocol::command::UrlFetch& cmd,
              std::uint64_t most_work, Output& out,
              std::function<void(const references::MessagePart&)> redeemed)
      : store_(store),
        authority_(authority),
        clock_(clock),
        bearer_(bearer),
        actor_(actor),
        cmd_(cmd),
        most_work_(most_work),
        out_(out),
        redeemed_(std::move(redeemed)) {}
  UrlFetchRun(const UrlFetchRun&) = delete;

  /// Answers the first URL, with as many of its octets as are in memory and Produce() would write, if what
  /// comes before them is in memory and short (storage::MemoryOnly); else nothing has happened. True as of
  /// Produce(), which comes next otherwise.
  bool BeginAtOnce();

  /// True when everything has been written.
  storage::Result<bool> Produce();

  /// Later URLs were answered with NIL because earlier ones took limits::kUrlWork.
  bool gave_up() const { return gave_up_; }
  /// One was answered with NIL because the store cannot write that it was fetched.
  bool withheld() const { return withheld_; }
  /// The answer has begun, so that nothing else can be said before it ends.
  bool begun() const { return response_ != nullptr; }

 private:
  using Request = protocol::command::UrlFetch::Request;

  /// An answer before an octet of it is written.
  struct Prepared {
    std::optional<references::MessagePart> named;  ///< by a URL that is good
    std::unique_ptr<references::PartReader> reader;
    references::PartReader::Begun begun = references::PartReader::Begun::kOpen;
    std::string structure;
    bool good = false;
    bool withheld = false;  ///< for withheld()
  };
  storage::Result<Prepared> Prepare(const Request& request);
  std::optional<Prepared> PrepareAtOnce();
  void Write(const Request& request, Prepared prepared);
  bool EndIfAll();

  storage::Result<> WriteOctets();
  void WriteOctetsAtOnce();

  /// What to know of a part is to decode all of it, and a command may name it 256 times.
  struct Known {
    std::optional<std::uint64_t> decoded_size;
    std::optional<std::string> decoded_structure;
  };
  /// The last two: partial, where it names a part within a CPIM.
  using Place =
      std::tuple<storage::FolderRef, storage::Uid, std::vector<std::uint32_t>, std::uint32_t, std::uint32_t>;
  static Place PlaceOf(const references::MessagePart& part, bool within);

  std::optional<std::string> StructureOf(references::PartReader& reader, bool decoded, Known& known);

  storage::MailStore& store_;
  references::UrlAuthority& authority_;
  const Clock& clock_;
  const references::Bearer bearer_;
  const storage::Actor actor_;
  const protocol::command::UrlFetch& cmd_;
  const std::uint64_t most_work_;  ///< limits::kUrlWork
  Output& out_;
  const std::function<void(const references::MessagePart&)> redeemed_;  ///< hears of each URL that is good
  std::unique_ptr<protocol::write::UrlFetchResponse> response_;
  std::size_t next_ = 0;                             ///< of the requests
  std::unique_ptr<references::PartReader> sending_;  ///< a literal is half written
  std::map<Place, Known> known_;                     ///< of the parts
  references::CpimInsidePtr inside_;                 ///< that the last URL into one led to
  std::uint64_t work_ = 0;                           ///< limits::kUrlWork
  bool gave_up_ = false;
  bool withheld_ = false;
  bool close_ = false;  ///< with a ")" behind it
};

}  // namespace server::imap
