#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace server::http {

/// The boundary of a multipart Content-Type (RFC 2046 §5.1.1); nullopt: it is no multipart, or has none.
std::optional<std::string> BoundaryOf(std::string_view content_type);

/// What is known of a part.
struct PartHead {
  std::string name;  ///< of Content-Disposition: form-data
  std::string content_type;
};

/// Takes a multipart body apart as it comes, in bounded memory.
///
///   reader.Feed(octets);
///   for (;;) switch (reader.Next()) { ... case Step::kNeedMore: /* feed more */ }
class MultipartReader {
 public:
  static constexpr std::size_t kMaxPartHeader = 8 * 1024;

  enum class Step {
    kNeedMore,
    kPart,    ///< one begins: head()
    kOctets,  ///< octets(), valid until the next call
    kPartEnd,
    kEnd,  ///< the last boundary was seen; what follows is nobody's
    kBad,  ///< fault()
  };

  explicit MultipartReader(std::string_view boundary)
      : delimiter_("\r\n--" + std::string(boundary)), held_("\r\n") {}

  void Feed(std::string_view octets);
  Step Next();

  const PartHead& head() const { return head_; }
  std::string_view octets() const { return octets_; }
  std::string_view fault() const { return fault_; }

 private:
  enum class State { kPreamble, kDelimiter, kHeader, kBody, kEnd };

  Step Fail(std::string_view fault) {
    fault_ = fault;
    return Step::kBad;
  }
  Step Preamble();
  Step Delimiter();
  Step Header();
  Step Body();
  void Drop(std::size_t octets) { begin_ += octets; }
  std::string_view rest() const { return std::string_view(held_).substr(begin_); }

  const std::string delimiter_;
  std::string held_;  ///< not taken yet, from begin_ on
  std::size_t begin_ = 0;
  State state_ = State::kPreamble;
  PartHead head_;
  std::string_view octets_;
  std::string_view fault_;
};

}  // namespace server::http
