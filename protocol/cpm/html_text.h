#pragma once

#include <string>
#include <string_view>

namespace protocol::cpm {

/// What a person would read of HTML: its text with the entities resolved, without markup, styles and scripts.
/// Where a block ends there is white space. Tolerant of anything; nothing is loaded. `utf8` is UTF-8,
/// whatever the HTML says. Time is linear in it but for deep nesting, so the caller bounds it.
std::string HtmlText(std::string_view utf8);

}  // namespace protocol::cpm
