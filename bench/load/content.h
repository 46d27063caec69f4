// What the messages look like: recipients, size and text, each a function of the message's number and the
// seed. Immutable once made; safe to share between threads.
#pragma once

#include <memory>
#include <string>

#include "bench/load/domains.h"
#include "bench/load/options.h"
#include "bench/load/output.h"
#include "bench/load/sizes.h"
#include "bench/load/template.h"
#include "conf/vocab/result.h"

namespace bench::load {

class Content {
 public:
  // Reads the template; the error has a line "file:line:column: what" for each mistake. `date` is that of the
  // messages (RFC 5322 §3.3).
  static conf::Result<std::unique_ptr<Content>> make(const LoadOptions& options, std::string date);

  std::string id(uint64_t number) const;
  // The i-th recipient of the message, from 0.
  std::string recipient(uint64_t number, uint32_t i) const;
  // The message, dots doubled when `stuffed`; returns its size on the wire. Parts of `out` are shared with
  // this.
  uint64_t write(uint64_t number, bool stuffed, Output* out) const;

 private:
  Content(const LoadOptions& options, std::string date, Domains domains, Sizes sizes);
  conf::Random dice(uint64_t number) const;

  std::string from_;
  std::string prefix_;
  std::string date_;
  uint64_t seed_;
  Domains domains_;
  Sizes sizes_;
  std::string filler_;
  Template template_;
};

}  // namespace bench::load
