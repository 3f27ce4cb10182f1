#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "storage/schema/keys.h"
#include "storage/schema/references.h"
#include "storage/schema/rows.h"
#include "storage/schema/seen_page.h"
#include "storage/schema/state_page.h"
#include "storage/schema/url_keys.h"

namespace tests {

/// One of the codecs in storage/schema, seen as bytes -> value -> bytes.
struct RowCodec {
  std::string_view name;
  bool versioned;  ///< begins with a version octet
  bool open_end;   ///< whatever follows belongs to the last field
  storage::Result<std::string> (*recode)(std::string_view bytes);
};

template <class T>
storage::Result<std::string> Recode(std::string_view bytes) {
  ASSIGN_OR_RETURN(const auto value, T::Decode(bytes));
  return value.Encode();
}

inline storage::Result<std::string> RecodeStatePage(std::string_view bytes) {
  storage::schema::StatePage page;
  RETURN_IF_ERROR(storage::schema::StatePage::Decode(bytes, page));
  return page.Encode();
}

inline storage::Result<std::string> RecodeIds(std::string_view bytes) {
  ASSIGN_OR_RETURN(const auto ids, storage::schema::DecodeIds(bytes));
  return storage::schema::EncodeIds(ids);
}

/// Every key and every row. The index is what a fuzz input's first octet selects: append only.
inline const std::vector<RowCodec>& RowCodecs() {
  namespace schema = storage::schema;
  static const std::vector<RowCodec> codecs{
      {"account_key", false, false, Recode<schema::AccountKey>},
      {"folder_key", false, false, Recode<schema::FolderKey>},
      {"path_key", false, true, Recode<schema::PathKey>},
      {"state_key", false, false, Recode<schema::StateKey>},
      {"message_key", false, false, Recode<schema::MessageKey>},
      {"object_key", false, false, Recode<schema::ObjectKey>},
      {"chunk_key", false, false, Recode<schema::ChunkKey>},
      {"id_key", false, false, Recode<schema::IdKey>},
      {"vanished_key", false, false, Recode<schema::VanishedKey>},
      {"intent_key", false, false, Recode<schema::IntentKey>},
      {"address_row", true, false, Recode<schema::AddressRow>},
      {"account_row", true, false, Recode<schema::AccountRow>},
      {"folder_row", true, false, Recode<schema::FolderRow>},
      {"folder_name_row", true, false, Recode<schema::FolderNameRow>},
      {"message_row", true, true, Recode<schema::StoredMessage>},
      {"ids", false, false, RecodeIds},
      {"text_row", true, false, Recode<schema::TextRow>},
      {"body_ref_row", true, false, Recode<schema::BodyRefRow>},
      {"vanished_row", true, false, Recode<schema::VanishedRow>},
      {"purge_row", true, false, Recode<schema::PurgeRow>},
      {"state_page", true, false, RecodeStatePage},
      {"annotation_key", false, false, Recode<schema::AnnotationKey>},
      {"annotation_row", true, false, Recode<schema::AnnotationRow>},
      {"annotation_use_row", true, false, Recode<schema::AnnotationUseRow>},
      {"expiry_key", false, false, Recode<schema::ExpiryKey>},
      {"uids_row", true, false, Recode<schema::UidsRow>},
      {"grant_key", false, false, Recode<schema::GrantKey>},
      {"acl_row", true, false, Recode<schema::AclRow>},
      {"grants_row", true, false, Recode<schema::GrantsRow>},
      {"former_path_key", false, false, Recode<schema::FormerPathKey>},
      {"url_key_row", true, false, Recode<schema::UrlKeyRow>},
      {"reference_key", false, false, Recode<schema::ReferenceKey>},
      {"message_reference_key", false, false, Recode<schema::MessageReferenceKey>},
      {"references_use_row", true, false, Recode<schema::ReferencesUseRow>},
      {"reference_row", true, false, Recode<schema::ReferenceRow>},
      {"seen_key", false, false, Recode<schema::SeenKey>},
      {"seen_page", true, false, Recode<schema::SeenPage>},
  };
  return codecs;
}

}  // namespace tests
