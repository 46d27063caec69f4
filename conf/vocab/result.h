// Result<T>: the value of an operation, or why it failed. For failures of the machine or of the input; a
// remote server that says "no" is not an error here but a bounce::Reply. No exceptions pass through our
// interfaces.
#pragma once

#include <string>
#include <utility>
#include <variant>

#include "conf/vocab/check.h"

namespace conf {

enum class ErrorCode {
  kInvalid,      // the input is malformed
  kNotFound,     // no such thing
  kTimeout,      // the deadline passed
  kUnavailable,  // temporary: try again later
  kIo,           // the operating system refused
  kNoSpace,      // disk full or below the reserve
  kReadOnly,     // the medium cannot be written
  kCorrupt,      // stored bytes fail their check
  kRefused,      // policy says no
  kClosed,       // the other side, or we, have gone
  kLimit,        // a bound of ours is reached
};

struct Error {
  ErrorCode code = ErrorCode::kInvalid;
  std::string detail;  // one line for people: what, where, what to do
};

inline Error invalid(std::string detail) { return {ErrorCode::kInvalid, std::move(detail)}; }

template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value)
      : state_(std::in_place_index<0>, std::move(value)) {}  // NOLINT(google-explicit-constructor)
  Result(Error error)
      : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT(google-explicit-constructor)

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }
  T& value() & { return *checked(); }
  const T& value() const& { return *const_cast<Result*>(this)->checked(); }
  T&& value() && { return std::move(*checked()); }
  T* operator->() { return checked(); }
  T& operator*() { return *checked(); }
  const Error& error() const {
    CHECK(!ok());
    return *std::get_if<1>(&state_);
  }

 private:
  T* checked() {
    CHECK(ok());
    return std::get_if<0>(&state_);
  }
  std::variant<T, Error> state_;
};

struct Unit {};
using Status = Result<Unit>;  // success without a value
inline Status success() { return Status(Unit{}); }

}  // namespace conf
