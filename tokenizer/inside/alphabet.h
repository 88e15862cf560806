// The byte alphabet of GPT-2 (Radford et al. 2019): every byte is written as one visible character, so that tokens are
// strings. Visible Latin-1 stands for itself; the other 68 bytes, in order, are U+0100, U+0101, ...: space is Ġ, newline Ċ.
#pragma once
#include <array>
#include <string>
#include <string_view>

namespace graft::alphabet {

char32_t character(unsigned char byte);
int byte(char32_t character);  ///< -1: the character does not stand for a byte

std::string spell(std::string_view bytes);
/// The bytes that a token stands for. A token with a character outside the alphabet stands for itself, as in Hugging
/// Face's decoder.
std::string bytes(std::string_view token);
const std::array<std::string, 256>& spelled();  ///< each byte's character, in UTF-8

}  // namespace graft::alphabet
