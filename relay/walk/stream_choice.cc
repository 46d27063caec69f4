#include "relay/walk/stream_choice.h"

#include <algorithm>
#include <vector>

#include "conf/vocab/address.h"
#include "relay/smtp/header_fields.h"

namespace relay {

namespace {

bool is_named(const std::vector<std::string>& names, const std::string& name) {
  return names.empty() || std::ranges::find(names, name) != names.end();
}

bool takes(const conf::Stream& stream, const conf::Envelope& envelope, std::string_view message) {
  const auto is_sender = [&envelope](const std::string& mask) {
    return conf::sender_matches(mask, envelope.reverse_path);
  };
  return is_named(stream.users, envelope.authenticated_as) && is_named(stream.listeners, envelope.listener) &&
         (stream.senders.empty() || std::ranges::any_of(stream.senders, is_sender)) &&
         (stream.header_name.empty() ||
          smtp::has_field_like(message, stream.header_name, stream.header_value));
}

}  // namespace

std::string stream_of(const conf::Config& config, const conf::Envelope& envelope, std::string_view message) {
  for (const conf::Stream& stream : config.streams) {
    if (takes(stream, envelope, message)) return stream.name;
  }
  return "";
}

}  // namespace relay
