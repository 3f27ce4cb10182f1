#pragma once

namespace tests {

/// Built with a sanitizer, which makes everything some ten times as slow. For tests that visit every point of
/// something: the plain build visits them all, this one fewer.
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
inline constexpr bool kSanitized = true;
#else
inline constexpr bool kSanitized = false;
#endif
#else
inline constexpr bool kSanitized = false;
#endif

}  // namespace tests
