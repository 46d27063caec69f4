// Mails in the shapes that the mail systems of the world give them (data/returned.txt), and ordinary mails
// that look like them (data/ordinary.txt). A mail begins after a line "=== NAME | KIND | RECIPIENTS | REASON
// of the first"; the reason "*" is not looked at.
#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <string>
#include <vector>

#include "bounce/report/meaning.h"
#include "bounce/report/report.h"
#include "tests/bounce/report/crlf.h"

namespace bounce::report {
namespace {

struct Shape {
  std::string name, kind, recipients, reason, octets;
};

std::string without_blanks(const std::string& text) {
  const size_t begin = text.find_first_not_of(' ');
  return begin == std::string::npos ? "" : text.substr(begin, text.find_last_not_of(' ') + 1 - begin);
}

Shape head_of(const std::string& line) {
  std::vector<std::string> fields;
  for (size_t begin = 4; begin <= line.size();) {
    const size_t end = std::min(line.find('|', begin), line.size());
    fields.push_back(without_blanks(line.substr(begin, end - begin)));
    begin = end + 1;
  }
  fields.resize(4);
  return {fields[0], fields[1], fields[2], fields[3], ""};
}

std::vector<Shape> shapes(const std::string& name) {
  std::ifstream file(std::string(PENSTOCK_SOURCE_DIR) + "/tests/bounce/report/data/" + name,
                     std::ios::binary);
  EXPECT_TRUE(file.good()) << name;
  std::vector<Shape> all;
  for (std::string line; std::getline(file, line);) {
    if (line.rfind("=== ", 0) == 0)
      all.push_back(head_of(line));
    else
      all.back().octets += line + '\n';
  }
  return all;
}

void expect_read(const Shape& shape, const std::string& octets) {
  const Report report = read_report(octets);
  EXPECT_EQ(to_text(report.kind), shape.kind);
  std::string recipients;
  for (const Recipient& each : report.recipients)
    recipients += (recipients.empty() ? "" : ",") + each.address;
  EXPECT_EQ(recipients, shape.recipients);
  if (shape.reason.empty() || shape.reason == "*" || report.recipients.empty()) return;
  EXPECT_EQ(label(meaning_of(report, report.recipients.front(), *Qualifier::shipped()).reason), shape.reason);
}

TEST(Shapes, OfReturnedMailAreRead) {
  std::set<std::string> names;
  for (const Shape& shape : shapes("returned.txt")) {
    SCOPED_TRACE(shape.name);
    names.insert(shape.name);
    expect_read(shape, shape.octets);
    expect_read(shape, with_crlf(shape.octets));
  }
  EXPECT_GE(names.size(), 480U);
}

TEST(Shapes, OfOrdinaryMailAreNoReports) {
  std::set<std::string> names;
  for (const Shape& shape : shapes("ordinary.txt")) {
    SCOPED_TRACE(shape.name);
    names.insert(shape.name);
    expect_read(shape, shape.octets);
    expect_read(shape, with_crlf(shape.octets));
  }
  EXPECT_GE(names.size(), 230U);
}

}  // namespace
}  // namespace bounce::report
