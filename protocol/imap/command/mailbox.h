#pragma once

#include <optional>
#include <string>
#include <vector>

#include "protocol/model/ids.h"
#include "protocol/model/sequence_set.h"

/// Commands that name mailboxes. A mailbox argument is UTF-8, decoded from modified UTF-7, canonical
/// (CanonicalMailboxName) and otherwise unchecked: CheckMailboxName is for CREATE and RENAME.
namespace protocol::command {

/// Some message numbers and the UIDs that the client had for them, both ascending and without "*", pair by
/// pair (RFC 7162 §3.2.5.2).
struct SequenceMatch {
  SequenceSet numbers;
  SequenceSet uids;

  friend bool operator==(const SequenceMatch&, const SequenceMatch&) = default;
};

/// What a returning client knows of a mailbox (RFC 7162 §3.2.5).
struct Qresync {
  UidValidity uid_validity;
  ModSeq modseq;
  std::optional<SequenceSet> known_uids;  ///< without "*"; nullopt: all up to UIDNEXT
  std::optional<SequenceMatch> match;

  friend bool operator==(const Qresync&, const Qresync&) = default;
};

/// select-params of RFC 4466 §2.1.
struct SelectParameters {
  bool condstore = false;  ///< RFC 7162 §3.1.8
  std::optional<Qresync> qresync;

  friend bool operator==(const SelectParameters&, const SelectParameters&) = default;
};

/// RFC 3501 §6.3.1.
struct Select {
  std::string mailbox;
  SelectParameters parameters = {};

  friend bool operator==(const Select&, const Select&) = default;
};

/// RFC 3501 §6.3.2.
struct Examine {
  std::string mailbox;
  SelectParameters parameters = {};

  friend bool operator==(const Examine&, const Examine&) = default;
};

/// RFC 3501 §6.3.3 with USE of RFC 6154 §3.
struct Create {
  std::string mailbox;  ///< a trailing '/' is kept: it declares inferiors
  std::vector<std::string>
      special_uses;  ///< "\Sent" etc. as sent; what the server does not know is [USEATTR]

  friend bool operator==(const Create&, const Create&) = default;
};

/// RFC 3501 §6.3.4.
struct Delete {
  std::string mailbox;

  friend bool operator==(const Delete&, const Delete&) = default;
};

/// RFC 3501 §6.3.5.
struct Rename {
  std::string from;
  std::string to;

  friend bool operator==(const Rename&, const Rename&) = default;
};

/// RFC 3501 §6.3.6.
struct Subscribe {
  std::string mailbox;

  friend bool operator==(const Subscribe&, const Subscribe&) = default;
};

/// RFC 3501 §6.3.7.
struct Unsubscribe {
  std::string mailbox;

  friend bool operator==(const Unsubscribe&, const Unsubscribe&) = default;
};

}  // namespace protocol::command
