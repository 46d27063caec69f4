#include "relay/host/converter_thread.h"

#include <memory>

#include "relay/walk/seven_bit.h"

namespace relay {

void ConverterThread::submit(conf::Bytes mail, SignedParts signed_parts, Done done) {
  thread_.submit([this, mail = std::move(mail), signed_parts, done = std::move(done)] {
    auto text = std::make_shared<std::optional<std::string>>(to_seven_bit(mail.view(), signed_parts));
    completions_.push([done, text] { done(std::move(*text)); });
  });
}

}  // namespace relay
