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
  explicit Octets(std::string octets) : alone_(true) {
    auto owner = std::make_shared<const std::string>(std::move(octets));
    view_ = *owner;
    owner_ = std::move(owner);
  }
  /// `owner` keeps `view` valid.
  Octets(std::shared_ptr<const void> owner, std::string_view view) : owner_(std::move(owner)), view_(view) {}

  std::string_view view() const { return view_; }
  std::size_t size() const { return view_.size(); }
  bool empty() const { return view_.empty(); }
  /// They were made for who has them: nothing else, as a cache, keeps them in memory.
  bool alone() const { return alone_; }

  /// [offset, offset + count) of them, as far as they exist. REQUIRES: offset <= size().
  Octets Part(std::size_t offset, std::size_t count = std::string_view::npos) const {
    Octets part(*this);
    part.view_ = view_.substr(offset, count);
    return part;
  }

 private:
  std::shared_ptr<const void> owner_;
  std::string_view view_;
  bool alone_ = false;
};

}  // namespace protocol::mime
