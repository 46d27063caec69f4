// Secrets of users as crypt(3) hashes.
#pragma once

#include <string>

#include "conf/vocab/secret.h"

namespace relay {

// "$y$..." of a secret with a fresh salt, for `penstock hash-password`; empty when crypt(3) cannot hash it
// (longer than 511 octets, no such method in the system's library). Any thread.
std::string hash_secret(const std::string& secret);
// Costs what the hash costs, tens of milliseconds for a good one. Any thread.
bool secret_matches(const conf::Secret& secret, const std::string& hash);

}  // namespace relay
