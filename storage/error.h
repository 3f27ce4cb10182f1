#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include <tl/expected.hpp>

namespace storage {

/// What a caller can act on. A new value breaks server/imap/error_map.cc (-Werror=switch) until someone
/// decides what the client is told.
enum class Errc {
  kNoSuchFolder,
  kFolderExists,
  kFolderHasChildren,  ///< DELETE of a \Noselect name that has inferiors
  kNotAllowed,         ///< a rule of the model forbids it; `detail` is a sentence for the client
  kNoPermission,       ///< others may, this actor may not; `detail` is a sentence for the client
  kNoSuchAccount,
  kAccountExists,  ///< address or alias is taken
  kAccountDisabled,
  kNoSuchMessage,    ///< a named message or object is not there (any more)
  kTooManyKeywords,  ///< the folder's keyword table is full
  kOverQuota,
  kTooBig,              ///< one thing is over a limit of the store; `detail` names it
  kLimit,               ///< too many things, or too long a name; `detail` is a sentence for the client
  kAnnotationTooBig,    ///< `limit` is the most octets of a value; `detail` is a sentence for the client
  kTooManyAnnotations,  ///< of the folder, the server or the account; `detail` is a sentence for the client
  kInvalidArgument,     ///< refused before anything was read; `detail` is a sentence for the client
  kConflict,            ///< lost a race; the caller may retry
  kCorruption,          ///< stored bytes do not decode; never retried
  kUnavailable,         ///< disk full, I/O error, shutting down
  kPartlyDone,          ///< the same, and some is done already; `detail` is a sentence for the client
};

/// `detail` is for the log, never for the client, save where the code's comment says so.
struct Error {
  Errc code;
  std::string detail;
  std::uint64_t limit = 0;  ///< where the code's comment says so
};

/// tl::expected that may not be dropped (libexpected-dev 1.0 has no [[nodiscard]]).
template <class T = void>
struct [[nodiscard]] Result : tl::expected<T, Error> {
  using tl::expected<T, Error>::expected;
};

inline tl::unexpected<Error> Fail(Errc code, std::string detail = {}) {
  return tl::unexpected<Error>(Error{code, std::move(detail)});
}

}  // namespace storage

#define STORAGE_CONCAT_INNER(a, b) a##b
#define STORAGE_CONCAT(a, b) STORAGE_CONCAT_INNER(a, b)

/// ASSIGN_OR_RETURN(auto row, Get(key)): the value, or this function returns the error. Storage code only;
/// coroutines spell the `if` out.
#define ASSIGN_OR_RETURN(declaration, expression)                                                  \
  auto STORAGE_CONCAT(result_, __LINE__) = (expression);                                           \
  if (!STORAGE_CONCAT(result_, __LINE__))                                                          \
    return tl::unexpected<::storage::Error>(std::move(STORAGE_CONCAT(result_, __LINE__)).error()); \
  declaration = *std::move(STORAGE_CONCAT(result_, __LINE__))

#define RETURN_IF_ERROR(expression)                                        \
  do {                                                                     \
    if (auto result_ = (expression); !result_)                             \
      return tl::unexpected<::storage::Error>(std::move(result_).error()); \
  } while (false)
