#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace protocol::mime {

/// Octets that are kept without a copy: they lie in something that others may share, and that lives as long
/// as anybody needs it. They never change.
///
/// Copying one is cheap. Thread: any.
class Octets {
 public:
  Octets() = default;
  explicit Octets(std::string octets) {
    auto owner = std::make_shared<const std::string>(std::move(octets));
    view_ = *owner;
    owner_ = std::move(owner);
  }
  /// `owner` keeps `view` valid.
  Octets(std::shared_ptr<const void> owner, std::string_view view) : owner_(std::move(owner)), view_(view) {}

  std::string_view view() const { return view_; }
  std::size_t size() const { return view_.size(); }
  bool empty() const { return view_.empty(); }

  /// [offset, offset + count) of them, as far as they exist. REQUIRES: offset <= size().
  Octets Part(std::size_t offset, std::size_t count = std::string_view::npos) const {
    return {owner_, view_.substr(offset, count)};
  }

 private:
  std::shared_ptr<const void> owner_;
  std::string_view view_;
};

}  // namespace protocol::mime
