#pragma once

#include <functional>
#include <memory>
#include <string>

#include "server/http/call.h"
#include "server/http/services.h"
#include "server/references/part_reader.h"

namespace server::http {

/// An answer with the octets of a part.
struct PartAnswer {
  std::shared_ptr<references::PartReader> part;
  references::PartReader::Form form = references::PartReader::Form::kDecoded;
  std::string type;
  std::string name;  ///< of the file, UTF-8; empty: none
  std::string etag;
  bool one_time = false;
  storage::AccountId who;           ///< reads it: its jobs take turns with those of others
  std::function<void()> sending{};  ///< is told before the first octet goes; may be empty
};

/// Sends it, or the range of it that is asked for (RFC 9110 §14) unless that is too far (PartRange), or says
/// that the caller has it (§13.1.2).
/// The part has begun. `count` is called before an octet goes: false: it is not to be had any more, and
/// nothing has been answered. False likewise; what cannot be read has been answered.
asio::awaitable<bool> SendPart(Call& call, Services& services, PartAnswer answer,
                               std::function<storage::Result<bool>()> count);

/// A header's value that names a file to be kept, whatever the name is made of (RFC 6266).
std::string ContentDisposition(std::string_view name);

}  // namespace server::http
