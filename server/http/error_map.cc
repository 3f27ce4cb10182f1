#include "server/http/error_map.h"

namespace server::http {
namespace {

Refusal Make(Status status, const char* code, const char* sentence, const storage::Error& error) {
  return {status, code, error.detail.empty() ? std::string(sentence) : sentence + (": " + error.detail)};
}

}  // namespace

Refusal RefusalFor(const storage::Error& error) {
  using storage::Errc;
  switch (error.code) {  // no default: the compiler names what we forgot
    case Errc::kNoSuchFolder: return Make(Status::not_found, "no_such_folder", "No such folder", error);
    case Errc::kFolderExists: return Make(Status::conflict, "folder_exists", "The folder exists", error);
    case Errc::kFolderHasChildren:
      return Make(Status::conflict, "folder_has_children", "The folder has folders below it", error);
    case Errc::kNotAllowed: return Make(Status::forbidden, "not_allowed", "Not allowed", error);
    case Errc::kNoPermission: return Make(Status::forbidden, "no_permission", "Not permitted", error);
    case Errc::kNoSuchAccount: return Make(Status::not_found, "no_such_account", "No such account", error);
    case Errc::kAccountExists: return Make(Status::conflict, "account_exists", "The address is taken", error);
    case Errc::kAccountDisabled:
      return Make(Status::forbidden, "account_disabled", "The account is disabled", error);
    case Errc::kNoSuchMessage: return Make(Status::not_found, "no_such_message", "No such message", error);
    case Errc::kTooManyKeywords:
      return Make(Status::conflict, "too_many_keywords", "The folder has too many keywords", error);
    case Errc::kOverQuota: return Make(Status::insufficient_storage, "over_quota", "Quota exceeded", error);
    case Errc::kTooBig: return Make(Status::payload_too_large, "too_big", "Over a limit of the store", error);
    case Errc::kLimit: return Make(Status::conflict, "limit", "Over a limit of the account", error);
    case Errc::kAnnotationTooBig:
      return Make(Status::payload_too_large, "annotation_too_big", "Over a limit of the store", error);
    case Errc::kTooManyAnnotations:
      return Make(Status::conflict, "too_many_annotations", "Over a limit of the account", error);
    case Errc::kInvalidArgument:
      return Make(Status::bad_request, "invalid_argument", "Not acceptable", error);
    case Errc::kConflict: return Make(Status::conflict, "conflict", "Busy, try again", error);
    case Errc::kCorruption:
      return Make(Status::internal_server_error, "corruption", "The store is damaged", error);
    case Errc::kUnavailable:
      return Make(Status::service_unavailable, "unavailable", "The store cannot do it now", error);
    case Errc::kPartlyDone:
      return Make(Status::service_unavailable, "partly_done", "The store has done some of it", error);
  }
  return {Status::internal_server_error, "internal", "Internal error"};  // unreachable
}

}  // namespace server::http
