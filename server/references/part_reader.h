#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "protocol/cpm/part_head.h"
#include "protocol/mime/octet_reader.h"
#include "protocol/mime/parts.h"
#include "protocol/mime/source.h"
#include "server/references/cpim_inside.h"
#include "server/references/url_authority.h"

namespace server::references {

/// Octets that are decoded for no more than to come to the range behind them: more than the 100 MiB of a file
/// of RCS, so that any place of a video is found.
inline constexpr std::uint64_t kMaxSkipped = 128 << 20;

/// The octets of what a reference names, in pieces, whatever their number. A partial of a message/cpim that
/// is the body of a part within it to the octet names that part (cpim_inside.h): all that is said of parts is
/// said of it then, as if what the CPIM holds were the message.
///
/// Lifetime   the store outlives it. What was there when it was opened can be read as long as it lives.
/// Calls block.
class PartReader {
 public:
  /// nullptr: there is no such message any more, or nobody may read it by `right`, which is the owner's if
  /// nothing is said. `seen`: looked_into() of one before, which spares looking again if it is the same CPIM.
  static storage::Result<std::unique_ptr<PartReader>> Open(storage::MailStore& store, MessagePart what,
                                                           CpimInsidePtr seen = {},
                                                           storage::Actor right = {});

  enum class Form : std::uint8_t {
    kAsServed,  ///< as FETCH BODY[...] has it
    kAsStored,  ///< the same octets as they were appended, NUL and all
    kDecoded,   ///< as FETCH BINARY[...]: without transfer encoding; what is no body part, as it was appended
  };
  enum class Begun : std::uint8_t {
    kOpen,
    kNoSuchPart,
    kUnknownEncoding,
    kUnreadable,
  };
  /// Where the octets begin. They can be read then, or it is kUnreadable. `of`: of what the reference names
  /// these only, as far as they exist.
  Begun Begin(Form form, std::optional<protocol::mime::Extent> of = std::nullopt);
  std::uint64_t size() const { return size_; }  ///< after Begin(): of all of them
  std::uint64_t left() const { return first_.size() + rest_.left(); }
  /// The octets may hold NUL: then a literal8 must carry them. Seen in the first piece, assumed of more.
  bool nul() const { return nul_; }
  /// Appends up to `count` of what is left; false: they cannot be had.
  bool Take(std::string& to, std::uint64_t count);
  /// The same in place of what `to` holds, as many as come at once: at least one if any are left, at most
  /// 256 KiB, which are not copied if it can be helped.
  bool TakeSome(protocol::mime::Octets& to);

  /// That its octets go out is access, of a message that is temporary until then (storage/store/deferred.h):
  /// Named::accessed_by.
  bool deferred() const { return deferred_; }
  /// The object's id: what it holds never changes.
  storage::ObjectId object() const { return object_; }
  /// Octets of the section without transfer encoding, whatever partial says; nullopt: they cannot be had so.
  std::optional<std::uint64_t> DecodedSize();
  /// The same if it has been counted; never reads.
  std::optional<std::uint64_t> known_decoded_size() const { return what_.decoded_size; }
  /// Octets of the encoded part that DecodedSize() and Begin() have to decode before the first one is there:
  /// to count them, if that has not been done, and to skip what partial leaves out.
  std::uint64_t ToDecode() const;
  /// Form::kDecoded is another than that of the octets as they are stored.
  bool Decodes() const;
  /// What has begun is of no other use any more than to Take() it: what is known of the message, which may be
  /// a hundred times as much as the octets, is given up.
  void KeepOctetsOnly();
  /// Octets in memory, about.
  std::uint64_t held() const;
  /// Octets that Structure() has to read, or to decode, to count them.
  std::uint64_t ToCount(Form form) const;
  /// What the header of the part says that the section names: what a body part is, or the message.
  protocol::cpm::PartHead Head();
  /// The octets of the header of that part, cut at `most`; nullopt: no such part.
  std::optional<std::string> HeaderOf(std::uint64_t most);
  const protocol::mime::Parts& parts() const { return parts_; }  ///< of the message, as appended
  protocol::mime::Source& source() { return *source_; }          ///< likewise its octets
  /// The part as appended; nullptr: the section names none.
  const protocol::mime::Part* Part() const;
  /// What the part is within; nullptr: it is a part of the message.
  const CpimInsidePtr& inside() const { return inside_; }
  /// The CPIM that was looked into for it, though what the section and partial name may be no part of that.
  const CpimInsidePtr& looked_into() const { return looked_into_; }

  /// BODYPARTSTRUCTURE: what BODYSTRUCTURE says of the part, as it is in `form`. A header has a media type of
  /// its own, text/rfc822-headers (RFC 6522 §4). nullopt: no such part, or it cannot be read.
  std::optional<std::string> Structure(Form form);

 private:
  PartReader() = default;
  storage::Result<> StepInside(CpimInsidePtr seen);
  std::optional<protocol::mime::Extent> Locate(Form form) const;
  /// What partial and `of_` leave of it.
  protocol::mime::Extent ClipAll(protocol::mime::Extent extent) const;
  bool TakesLong(Form form) const;
  /// Of what Structure() tells, body_structure_ does not say it.
  bool IsCounted(Form form) const;
  Begun BeginDecoded(const protocol::mime::Part& part);
  Begun ReadFirst();
  const protocol::mime::Parts& PartsOf(Form form) const {
    return form == Form::kAsServed && served_ ? served_parts_ : parts_;
  }

  MessagePart what_;
  storage::ObjectId object_;
  bool deferred_ = false;
  protocol::mime::Nul message_nul_ = protocol::mime::Nul::kMaybe;  ///< the message as appended
  std::string body_structure_;
  protocol::mime::Parts parts_;
  CpimInsidePtr looked_into_;
  CpimInsidePtr inside_;
  std::unique_ptr<protocol::mime::Source> around_;  ///< with `inside_`: the message
  std::unique_ptr<protocol::mime::Source> source_;
  protocol::mime::Parts served_parts_;              ///< with `served_`
  std::unique_ptr<protocol::mime::Source> served_;  ///< where it is not as appended

  // Since Begin().
  std::optional<protocol::mime::Extent> of_;
  protocol::mime::Octets first_;  ///< read, but not taken
  protocol::mime::OctetReader rest_;
  std::uint64_t size_ = 0;
  bool nul_ = false;
};

}  // namespace server::references
