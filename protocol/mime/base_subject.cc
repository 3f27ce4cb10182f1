#include "protocol/mime/base_subject.h"

#include "protocol/mime/words.h"
#include "protocol/model/ascii.h"

namespace protocol::mime {
namespace {

/// Step (1): decoded, tabs are spaces, several spaces one.
std::string OneLine(std::string_view subject) {
  const std::string text = DecodeWords(subject);
  std::string out;
  out.reserve(text.size());
  for (char c : text) {
    if (c == '\t' || c == '\r' || c == '\n') c = ' ';
    if (c == ' ' && out.ends_with(' ')) continue;
    out += c;
  }
  return out;
}

bool StartsWith(std::string_view text, std::string_view word) {
  return text.size() >= word.size() && ascii::EqualNoCase(text.substr(0, word.size()), word);
}

bool EndsWith(std::string_view text, std::string_view word) {
  return text.size() >= word.size() && ascii::EqualNoCase(text.substr(text.size() - word.size()), word);
}

/// *WSP
std::size_t Spaces(std::string_view text, std::size_t at) {
  while (at < text.size() && text[at] == ' ') ++at;
  return at;
}

/// Each of the next two gives where its match ends, `at` if there is none.

// subj-blob = "[" *BLOBCHAR "]" *WSP
std::size_t Blob(std::string_view text, std::size_t at) {
  if (at >= text.size() || text[at] != '[') return at;
  const std::size_t end = text.find_first_of("[]", at + 1);
  if (end == std::string_view::npos || text[end] == '[') return at;
  return Spaces(text, end + 1);
}

// subj-refwd = ("re" / ("fw" ["d"])) *WSP [subj-blob] ":"
std::size_t ReplyOrForward(std::string_view text, std::size_t at) {
  const std::string_view rest = text.substr(at);
  std::size_t end = at;
  if (StartsWith(rest, "fwd")) {
    end += 3;
  } else if (StartsWith(rest, "re") || StartsWith(rest, "fw")) {
    end += 2;
  } else {
    return at;
  }
  end = Blob(text, Spaces(text, end));
  return end < text.size() && text[end] == ':' ? end + 1 : at;
}

class Extractor {
 public:
  explicit Extractor(std::string_view text) : rest_(text) {}

  BaseSubject Extract() {
    do {
      TakeTrailers();
      TakeLeaders();
    } while (TakeForwardFrame());
    return {std::string(rest_), replied_};
  }

 private:
  // Step (2): subj-trailer = "(fwd)" / WSP
  void TakeTrailers() {
    while (true) {
      if (rest_.ends_with(' ')) {
        rest_.remove_suffix(1);
      } else if (EndsWith(rest_, "(fwd)")) {
        rest_.remove_suffix(5);
        replied_ = true;
      } else {
        return;
      }
    }
  }

  // Steps (3) to (5): subj-leader = (*subj-blob subj-refwd) / WSP, and blobs before a base that is not empty.
  void TakeLeaders() {
    while (true) {
      rest_.remove_prefix(Spaces(rest_, 0));
      std::size_t last_blob = 0;
      std::size_t blobs = 0;
      for (std::size_t next = Blob(rest_, 0); next != blobs; next = Blob(rest_, blobs)) {
        last_blob = blobs;
        blobs = next;
      }
      const std::size_t end = ReplyOrForward(rest_, blobs);
      if (end == blobs) {
        // Step (4) for all of them at once: step (3) would look at the same text again after each.
        rest_.remove_prefix(blobs < rest_.size() ? blobs : last_blob);
        return;
      }
      rest_.remove_prefix(end);
      replied_ = true;
    }
  }

  // Step (6): subj-fwd-hdr = "[fwd:", subj-fwd-trl = "]"
  bool TakeForwardFrame() {
    if (!StartsWith(rest_, "[fwd:") || !rest_.ends_with(']')) return false;
    rest_.remove_prefix(5);
    rest_.remove_suffix(1);
    replied_ = true;
    return true;
  }

  std::string_view rest_;
  bool replied_ = false;
};

}  // namespace

BaseSubject BaseSubjectOf(std::string_view subject) {
  const std::string text = OneLine(subject);
  return Extractor(text).Extract();
}

}  // namespace protocol::mime
