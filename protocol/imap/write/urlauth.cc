#include "protocol/imap/write/urlauth.h"

#include "protocol/imap/write/string.h"

namespace protocol::write {

// genurlauth-data = "*" SP "GENURLAUTH" 1*(SP url-full)              ; RFC 4467 §9
void GenUrlAuthLine(std::string& out, std::span<const std::string> urls) {
  out += "* GENURLAUTH";
  for (const std::string& url : urls) {
    out += ' ';
    String(out, url);
  }
  out += "\r\n";
}

// urlfetch-data = "*" SP "URLFETCH" 1*(SP url-full SP (nstring / url-metadata))
// url-metadata  = 1*(SP "(" url-metadata-el ")")                     ; RFC 5524 §5
void UrlFetchResponse::Url(std::string_view url) {
  out_ += ' ';
  String(out_, url);
}

void UrlFetchResponse::Literal(std::uint64_t size) {
  out_ += ' ';
  LiteralHeader(out_, size);
}

void UrlFetchResponse::Structure(std::string_view body) {
  out_ += " (BODYPARTSTRUCTURE ";
  out_ += body;
  out_ += ')';
}

void UrlFetchResponse::OpenBody(std::uint64_t size) {
  out_ += " (BODY ";
  LiteralHeader(out_, size);
}

void UrlFetchResponse::OpenBinary(std::uint64_t size, bool nul) {
  out_ += " (BINARY ";
  if (nul) {
    Literal8Header(out_, size);
  } else {
    LiteralHeader(out_, size);
  }
}

}  // namespace protocol::write
