// Whether a path (site x source) may open another connection, and a connection may take another message. Here
// with the fixed limits of the destination's settings; windows, quotas and the error threshold join in this
// place. Pure.
#pragma once

#include <cstdint>

#include "conf/config.h"
#include "conf/vocab/time.h"

namespace mx {

struct Admission {
  bool yes = false;
  conf::Instant not_before =
      conf::kNever;  // when `yes` is false: ask again then; kNever: when a connection ends
  const char* why = "";
};

struct PathLoad {
  uint32_t connections = 0;       // open and opening
  uint32_t all_connections = 0;   // of the whole relay
  conf::Instant backoff_until{};  // the path failed lately
};

inline Admission may_connect(const conf::Config& config, const conf::DestinationSettings& settings,
                             const PathLoad& load, conf::Instant now) {
  if (load.backoff_until > now) return {false, load.backoff_until, "waits after a failed connection"};
  if (load.connections >= settings.max_connections) return {false, conf::kNever, "max_connections"};
  if (load.all_connections >= config.max_outbound_connections)
    return {false, conf::kNever, "max_outbound_connections"};
  return {true, now, ""};
}

// `sent`: messages already sent over the connection.
inline Admission may_send(const conf::DestinationSettings& settings, uint32_t sent, conf::Instant now) {
  const uint32_t most = settings.max_messages_per_connection;
  if (most != 0 && sent >= most) return {false, conf::kNever, "max_messages_per_connection"};
  return {true, now, ""};
}

}  // namespace mx
