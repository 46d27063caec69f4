#include "bench/load/content.h"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>
#include <utility>

namespace bench::load {
namespace {

conf::Result<std::string> read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  if (!file || !(text << file.rdbuf()))
    return conf::Error{conf::ErrorCode::kIo, path + ": cannot be read or is empty: " + std::strerror(errno)};
  return text.str();
}

conf::Result<Domains> read_domains(const LoadOptions& options) {
  if (options.domain_list_path.empty()) return Domains::parse(options.domains, options.zipf);
  const conf::Result<std::string> text = read_file(options.domain_list_path);
  if (!text) return text.error();
  return Domains::parse_file(options.domain_list_path, text.value());
}

}  // namespace

Content::Content(const LoadOptions& options, std::string date, Domains domains, Sizes sizes)
    : from_(options.from),
      prefix_(options.prefix),
      date_(std::move(date)),
      seed_(options.seed),
      domains_(std::move(domains)),
      sizes_(std::move(sizes)),
      filler_(make_filler(sizes_.largest())) {}

conf::Result<std::unique_ptr<Content>> Content::make(const LoadOptions& options, std::string date) {
  conf::Result<Domains> domains = read_domains(options);
  if (!domains) return domains.error();
  conf::Result<Sizes> sizes = Sizes::parse(options.size);
  if (!sizes) return conf::Error{sizes.error().code, "--size: " + sizes.error().detail};
  std::string text = kDefaultTemplate;
  if (!options.template_path.empty()) {
    conf::Result<std::string> read = read_file(options.template_path);
    if (!read) return read.error();
    text = std::move(read).value();
  }
  std::unique_ptr<Content> content(
      new Content(options, std::move(date), std::move(domains).value(), std::move(sizes).value()));
  std::vector<conf::Problem> problems;
  content->template_ = Template::parse(options.template_path, text, content->filler_, &problems);
  if (problems.empty()) return content;
  std::string detail;
  for (const conf::Problem& problem : problems)
    detail.append(detail.empty() ? "" : "\n").append(problem.text());
  return conf::Error{conf::ErrorCode::kInvalid, detail};
}

std::string Content::id(uint64_t number) const { return prefix_ + "-" + std::to_string(number); }

conf::Random Content::dice(uint64_t number) const {
  return conf::Random(seed_ * 0x9e3779b97f4a7c15ULL ^ number);
}

std::string Content::recipient(uint64_t number, uint32_t i) const {
  conf::Random random = dice(number);
  std::string address = "user" + std::to_string(number);
  if (i > 0) address.append("-").append(std::to_string(i));
  return address.append("@").append(domains_.pick(number, &random));
}

uint64_t Content::write(uint64_t number, bool stuffed, Output* out) const {
  conf::Random random = dice(number);
  const std::string digits = std::to_string(number);
  const std::string own_id = prefix_ + "-" + digits;
  const std::string local = "user" + digits;
  Filling filling;
  filling.domain = domains_.pick(number, &random);
  filling.size_bytes = sizes_.draw(&random);
  filling.local = local;
  filling.from = from_;
  filling.number = digits;
  filling.id = own_id;
  filling.date = date_;
  const uint64_t before = out->size();
  template_.write(filling, stuffed, &random, out);
  return out->size() - before;
}

}  // namespace bench::load
