#include <algorithm>

#include "conf/sections.h"

namespace conf {

void read_intake(TableReader* reader, const std::vector<Listener>& listeners, IntakeSettings* out) {
  constexpr uint64_t kLeast = 1'000'000;
  reader->size("memory", &out->memory_bytes, kLeast);
  if (!reader->has("memory_per_client")) out->memory_per_client_bytes = out->memory_bytes / 4;
  if (!reader->has("memory_per_stranger")) out->memory_per_stranger_bytes = out->memory_bytes / 32;
  reader->size("memory_per_client", &out->memory_per_client_bytes, kLeast);
  reader->size("memory_per_stranger", &out->memory_per_stranger_bytes, kLeast / 10);
  uint64_t biggest = 0;
  for (const Listener& each : listeners) biggest = std::max(biggest, each.max_message_bytes);
  if (out->memory_per_client_bytes < biggest) {
    if (reader->has("memory_per_client")) {
      reader->report("memory_per_client",
                     "is less than the max_message_size of a listener: such a message could never come in");
    } else {
      out->memory_per_client_bytes = biggest + biggest / 4;
    }
  }
  if (out->memory_per_client_bytes > out->memory_bytes) {
    reader->report(reader->has("memory_per_client") ? "memory_per_client" : "memory",
                   "what one client may take is more than there is for all");
  }
  reader->number("auth_failures_per_login", &out->auth_failures_per_login, 1, 1'000'000);
  reader->number("auth_failures_per_client", &out->auth_failures_per_client, 1, 1'000'000);
  reader->number("auth_failures_per_user", &out->auth_failures_per_user, 1, 1'000'000);
  reader->number("descriptors_kept", &out->descriptors_kept, 0, 1'000'000);
  reader->finish();
}

}  // namespace conf
