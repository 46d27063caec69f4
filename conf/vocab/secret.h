// A secret on its way through the program: it moves without leaving a copy behind, and is overwritten at its
// end, whatever way that comes. One thread at a time.
#pragma once

#include <memory>
#include <string_view>

namespace conf {

class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string_view text);
  ~Secret() { wipe(); }
  Secret(Secret&& other) noexcept;
  Secret& operator=(Secret&& other) noexcept;

  std::string_view view() const { return {octets_.get(), size_}; }
  const char* c_str() const { return octets_ != nullptr ? octets_.get() : ""; }

 private:
  void wipe();

  std::unique_ptr<char[]> octets_;  // and a NUL behind them
  size_t size_ = 0;
};

}  // namespace conf
