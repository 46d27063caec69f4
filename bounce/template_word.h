// The kinds of words that a template knows. For text_template. Each *_length looks at the beginning of `text`
// and says how many octets of it are such a thing, 0 when it is none.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace bounce {

bool is_word_character(char c);
size_t placeholder_length(std::string_view text);  // "#NUM#", "#URL:some.example?p=Code#"
// "S3150", "BL000001": which failure it is, in the receiver's words.
bool is_receiver_code(std::string_view word);
size_t url_length(std::string_view text);
size_t date_length(std::string_view text);  // dates, times, and both
size_t phone_length(std::string_view text);
size_t address_length(std::string_view text);  // "someone@some.example", and IPv6 has none of it
// A word of letters, small behind the first, that is neither part of an address nor of a date: it stays as it
// is. 0: that takes a closer look.
size_t plain_word_length(std::string_view text);
size_t word_length(std::string_view text);
std::string_view url_host(std::string_view url);
// What a page is asked for says which failure it is: "p=NoSuchUser", "BL000000" of "#BL000000". Empty:
// nothing there is a code.
std::string_view url_code(std::string_view url);
// spamhaus.org, spamcop.net, ...: the name says which list it is, and whom to ask.
bool is_list_operator(std::string_view host);
// Without the labels before it that are an address: "2.0.0.127.zen.spamhaus.org".
std::string_view list_name(std::string_view host);
// The word, or the placeholder for it.
void append_word(std::string_view word, std::string* out);

}  // namespace bounce
