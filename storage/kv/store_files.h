#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

// What the files of a store's folder say by themselves, without opening it.

namespace storage::kv {

/// What a folder without CURRENT is.
struct Remains {
  enum Kind {
    kNothing,  ///< empty, or a first start was interrupted before it had made a store: it may begin again
    kStore,    ///< there was a store
    kForeign,  ///< something else lives here: `name`
  };
  Kind kind = kNothing;
  std::string name;
};
Remains RemainsWithoutCurrent(const std::vector<std::string>& names);

struct FileSurvey {
  std::size_t files = 0;             ///< table files and logs that were read
  std::vector<std::string> damaged;  ///< a line each: the file, whose rows it has, what is wrong with it
};

/// Reads every file of a store that nobody has open, opens nothing and changes nothing: for `cms-admin store
/// check` when the store does not open. A table file that is missing altogether is known to the manifest
/// only, so opening names it, not this.
FileSurvey SurveyFiles(const std::filesystem::path& folder);

}  // namespace storage::kv
