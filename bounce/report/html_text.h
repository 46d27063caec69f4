// HTML as the lines of text that a reader would see; only as much as a notice of failure needs.
#pragma once

#include <string>
#include <string_view>

namespace bounce::report {

// Tags go, those of blocks, rows and breaks become line ends; <style>, <script> and comments go with their
// content; the common entities are decoded. Linear in the size of the text. UTF-8 in and out.
std::string html_to_text(std::string_view html);

}  // namespace bounce::report
