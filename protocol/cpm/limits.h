#pragma once

#include <cstddef>

/// The one table of what a CPM object, an address list or an identifier may cost. Beyond a limit an object is
/// malformed (it is stored all the same), an identifier refused.
namespace protocol::cpm {

/// An identifier (Conversation-ID and the like) that the network records. It must be found again, which holds
/// up to mime::InspectLimits::max_id. Real ones are UUIDs, 36 octets.
inline constexpr std::size_t kMaxId = 512;

/// A header value that a writer takes, save Subject: RFC 5322 §2.1.1 allows 998 octets a line, and these do
/// not fold.
inline constexpr std::size_t kMaxHeaderValue = 900;

/// Subject, before it is encoded and folded.
inline constexpr std::size_t kMaxSubject = 4096;

/// One XML document: an IMDN has 0.5 KiB, a group state of 500 participants 40 KiB, a file transfer of 100
/// files 30 KiB. libxml2 compares each attribute of an element with all others: at 64 KiB that is at most 50
/// ms.
inline constexpr std::size_t kMaxXml = 64U * 1024;

/// Elements within each other: the deepest document (imdn) has four.
inline constexpr std::size_t kMaxXmlDepth = 16;

/// Elements in all: about one each 16 octets.
inline constexpr std::size_t kMaxXmlElements = 4096;

/// The two header blocks of a message/cpim, together. Real ones have under 1 KiB.
inline constexpr std::size_t kMaxCpimHeader = 16U * 1024;

/// Header fields in a message/cpim, both blocks together.
inline constexpr std::size_t kMaxCpimFields = 200;

/// The header of a part of multipart/related; more is not looked at.
inline constexpr std::size_t kMaxPartHeader = 8U * 1024;

/// Parts of a multipart/related that are looked at: to find the description, to match files.
inline constexpr std::size_t kMaxRelatedParts = 1024;

/// A file name in UTF-8: three times as long when percent-encoded, so that the field fits kMaxHeaderValue.
inline constexpr std::size_t kMaxFileName = 255;

/// Addresses in a list that is searched for the preferred one: P-Asserted-Identity has at most two (RFC 3325
/// §9.1).
inline constexpr std::size_t kMaxAddresses = 16;

/// Octets of an address list that are looked at.
inline constexpr std::size_t kMaxAddressList = 4096;

/// Message-Correlator of an SMS (spec note 2.9).
inline constexpr std::size_t kCorrelatorCharacters = 160;
inline constexpr std::size_t kMaxCorrelator = kCorrelatorCharacters * 4;  ///< octets of UTF-8

/// Octets of UTF-8 that ObjectView::text holds: a chat message has at most 10 KiB (RCS), mail may have more.
inline constexpr std::size_t kMaxViewText = 64U * 1024;

/// Files listed of one object.
inline constexpr std::size_t kMaxViewFiles = 256;

/// A CPIM body that is looked into; MMS end at 0.6 MiB as a rule, RCS files travel otherwise.
inline constexpr std::size_t kMaxViewCpim = 16U * 1024 * 1024;

/// A header that is read for a view: mime::InspectLimits::max_header.
inline constexpr std::size_t kMaxViewHeader = 256U * 1024;

/// Characters of a preview: RFC 8970 §3.3 recommends as many.
inline constexpr std::size_t kPreviewCharacters = 200;

/// Octets of one text part that are read for a preview, transfer encoding undone. HTML has its styles first.
inline constexpr std::size_t kPreviewText = 32U * 1024;

/// The same of all text parts of an object. HTML whose elements are nested thousands deep and never closed
/// costs 50 ms for each kPreviewText.
inline constexpr std::size_t kPreviewTexts = 2 * kPreviewText;

/// Parts that are looked at for a preview.
inline constexpr std::size_t kPreviewParts = 32;

/// Receipts kept of one message: a group of 500 reports twice each.
inline constexpr std::size_t kMaxReceipts = 1024;

/// How deep replies stand below each other; deeper ones stand at this depth.
inline constexpr std::size_t kMaxThreadDepth = 8;

}  // namespace protocol::cpm
