#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace server::auth {

/// For whom accounts of role pf may act: patterns on the canonical address, "tel:+1555*" or
/// "sip:*@example.com".
/// '*' is any run of characters, also none; all else is itself. None: nobody.
class ActFor {
 public:
  ActFor() = default;
  explicit ActFor(std::vector<std::string> patterns) : patterns_(std::move(patterns)) {}
  bool Allows(std::string_view address) const;

 private:
  std::vector<std::string> patterns_;
};

}  // namespace server::auth
