#include "protocol/cpm/file_transfer.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include <fmt/format.h>

#include "protocol/cpm/body.h"
#include "protocol/cpm/related_xml.h"
#include "protocol/mime/header_block.h"
#include "protocol/model/ascii.h"
#include "protocol/text/charset.h"

namespace protocol::cpm {
namespace {

constexpr RelatedNames kNames{
    .object = "file transfer", .root = "file-transfer", .type = "file-transfer-type", .item = "file-object"};

int HexValue(char c) {
  if (ascii::IsDigit(c)) return c - '0';
  const char lower = ascii::ToLower(c);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

// RFC 5547 §6: in a name, NUL, LF, CR, DQUOTE and "%" stand as %00, %0A, %0D, %22, %25.
std::string Unescape(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const int high = text[i] == '%' && i + 2 < text.size() ? HexValue(text[i + 1]) : -1;
    const int low = high < 0 ? -1 : HexValue(text[i + 2]);
    if (low < 0) {
      out += text[i];
      continue;
    }
    out += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return out;
}

std::string Escape(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f || c == '"' || c == '%') {
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    } else {
      out += c;
    }
  }
  return out;
}

/// Takes "name:value" off, value quoted (quotes removed) or up to a space. False at the end.
bool TakeSelector(std::string_view& text, std::string_view& name, std::string_view& value) {
  text = mime::Trim(text);
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) return false;
  name = text.substr(0, colon);
  text.remove_prefix(colon + 1);
  const bool quoted = text.starts_with('"');
  if (quoted) text.remove_prefix(1);
  const std::size_t end = std::min(text.find(quoted ? '"' : ' '), text.size());
  value = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return true;
}

void ReadSelectors(std::string_view text, FileSdp& out) {
  std::string_view name;
  std::string_view value;
  while (TakeSelector(text, name, value)) {
    if (name == "name") {
      out.name = Unescape(value);
    } else if (name == "type") {
      out.type = value;
    } else if (name == "size") {
      std::uint64_t size = 0;
      const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), size);
      if (error == std::errc{} && end == value.data() + value.size()) out.size = size;
    } else if (name == "hash" && out.hash.empty()) {
      out.hash = value;
    }
  }
}

void ReadDates(std::string_view text, FileSdp& out) {
  std::string_view name;
  std::string_view value;
  while (TakeSelector(text, name, value)) {
    if (name == "creation") out.created = value;
    if (name == "modification") out.modified = value;
    if (name == "read") out.read = value;
  }
}

bool AcceptPrefix(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

/// One line of SDP without quotes; `token`: without spaces too.
bool IsPlain(std::string_view text, bool token) {
  return text::IsValidUtf8(text) && mime::Trim(text) == text &&
         std::none_of(text.begin(), text.end(), [&](char c) {
           return (static_cast<unsigned char>(c) < 0x20) || c == 0x7f || c == '"' || (token && c == ' ');
         });
}

}  // namespace

FileSdp ReadFileSdp(std::string_view sdp) {
  FileSdp out;
  while (!sdp.empty()) {
    const std::size_t end = std::min(sdp.find('\n'), sdp.size());
    std::string_view line = mime::Trim(sdp.substr(0, end));
    sdp.remove_prefix(std::min(end + 1, sdp.size()));
    if (AcceptPrefix(line, "i=")) {
      out.information = line;
    } else if (AcceptPrefix(line, "a=file-selector:")) {
      ReadSelectors(line, out);
    } else if (AcceptPrefix(line, "a=file-disposition:")) {
      out.disposition = mime::Trim(line);
    } else if (AcceptPrefix(line, "a=file-date:")) {
      ReadDates(line, out);
    } else if (line == "a=sendonly" || line == "a=recvonly" || line == "a=sendrecv" || line == "a=inactive") {
      out.direction = line.substr(2);
    }
  }
  return out;
}

tl::expected<std::string, Fault> WriteFileSdp(const FileSdp& file) {
  const auto unfit = [](std::string_view what) {
    return Fail(fmt::format("the file's {} cannot stand in SDP", what));
  };
  if (mime::Trim(file.information) != file.information || !text::IsValidUtf8(file.information) ||
      file.information.find_first_of(std::string_view("\r\n\0", 3)) != std::string::npos) {
    return unfit("information");
  }
  constexpr std::string_view kDirections[] = {"", "sendonly", "recvonly", "sendrecv", "inactive"};
  if (std::find(std::begin(kDirections), std::end(kDirections), file.direction) == std::end(kDirections)) {
    return unfit("direction");
  }
  if (!text::IsValidUtf8(file.name)) return unfit("name");
  if (!IsPlain(file.type, true)) return unfit("type");
  if (!IsPlain(file.hash, true)) return unfit("hash");
  if (!IsPlain(file.disposition, true)) return unfit("disposition");
  for (const std::string* date : {&file.created, &file.modified, &file.read}) {
    if (!IsPlain(*date, false)) return unfit("date");
  }

  std::string out;
  if (!file.information.empty()) out.append("i=").append(file.information).append("\r\n");
  if (!file.direction.empty()) out.append("a=").append(file.direction).append("\r\n");
  std::string selectors;
  if (!file.name.empty()) selectors += fmt::format(" name:\"{}\"", Escape(file.name));
  if (!file.type.empty()) selectors += fmt::format(" type:{}", file.type);
  if (file.size) selectors += fmt::format(" size:{}", *file.size);
  if (!file.hash.empty()) selectors += fmt::format(" hash:{}", file.hash);
  if (!selectors.empty()) out.append("a=file-selector:").append(selectors, 1).append("\r\n");
  if (!file.disposition.empty()) out.append("a=file-disposition:").append(file.disposition).append("\r\n");
  std::string dates;
  if (!file.created.empty()) dates += fmt::format(" creation:\"{}\"", file.created);
  if (!file.modified.empty()) dates += fmt::format(" modification:\"{}\"", file.modified);
  if (!file.read.empty()) dates += fmt::format(" read:\"{}\"", file.read);
  if (!dates.empty()) out.append("a=file-date:").append(dates, 1).append("\r\n");
  return out;
}

tl::expected<FileTransfer, Fault> ReadFileTransferXml(std::string_view xml) {
  auto read = ReadRelatedXml(xml, kNames);
  if (!read) return tl::unexpected<Fault>(read.error());
  FileTransfer out{.type = std::move(read->type), .participants = std::move(read->participants)};
  for (auto& item : read->items)
    out.files.push_back({.cid = std::move(item.cid), .sdp = ReadFileSdp(item.sdp)});
  return out;
}

tl::expected<FileTransfer, Fault> ReadFileTransfer(const mime::Parts& parts, mime::Source& source) {
  const auto description = FindPartOfType(parts, source, kFileTransferType);
  if (!description) return Fail("the file transfer has no part of type Application/X-CPM-File-Transfer");
  const auto xml = ReadXmlBody(parts[*description], source);
  if (!xml) return tl::unexpected<Fault>(xml.error());
  auto out = ReadFileTransferXml(*xml);
  if (!out || out->files.empty()) return out;
  const auto ids = FindContentIds(parts, source);
  if (!ids) return Fail("its octets could not be read");
  for (auto& file : out->files) file.part = PartOf(*ids, file.cid);
  return out;
}

tl::expected<std::string, Fault> WriteFileTransferXml(const FileTransfer& transfer, Layout layout) {
  RelatedXml value{.type = transfer.type, .participants = transfer.participants};
  for (const auto& file : transfer.files) {
    auto sdp = WriteFileSdp(file.sdp);
    if (!sdp) return sdp;
    std::erase(*sdp, '\r');
    if (sdp->ends_with('\n')) sdp->pop_back();
    value.items.push_back({file.cid, *std::move(sdp)});
  }
  return WriteRelatedXml(value, kNames, layout);
}

}  // namespace protocol::cpm
