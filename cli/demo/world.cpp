#include "cli/demo/world.h"

#include <algorithm>
#include <iterator>
#include <vector>

#include "autograd/errors.h"
#include "autograd/sizes.h"

namespace graft::cli {
namespace {

struct Person {
  const char *name, *he;
};
constexpr Person people[] = {{"Anna", "she"}, {"Ben", "he"},    {"Clara", "she"}, {"David", "he"}, {"Emma", "she"},
                             {"Frank", "he"}, {"Grace", "she"}, {"Henry", "he"},  {"Ida", "she"},  {"Jack", "he"},
                             {"Kate", "she"}, {"Leo", "he"},    {"Mary", "she"},  {"Nick", "he"},  {"Olga", "she"},
                             {"Peter", "he"}, {"Rosa", "she"},  {"Sam", "he"},    {"Tina", "she"}, {"Victor", "he"}};
struct Place {
  const char *name, *in;
};
constexpr Place places[] = {{"harbor", "at"}, {"garden", "in"}, {"market", "at"},  {"library", "in"},
                            {"forest", "in"}, {"bridge", "on"}, {"station", "at"}, {"kitchen", "in"},
                            {"beach", "on"},  {"farm", "on"},   {"school", "at"},  {"castle", "in"},
                            {"park", "in"},   {"mill", "at"},   {"island", "on"},  {"village", "in"}};
constexpr const char* things[] = {"book", "hat",  "key",  "lamp", "boat", "coat", "cup",  "drum",
                                  "kite", "bell", "coin", "map",  "ring", "shoe", "rope", "clock"};
constexpr const char* colors[] = {"red", "blue", "green", "white", "black", "yellow", "old", "small"};
constexpr const char* foods[] = {"soup", "bread", "fish", "cake", "rice",  "cheese", "apples", "eggs",
                                 "pie",  "beans", "tea",  "milk", "pears", "honey",  "nuts",   "corn"};
struct Sky {
  const char *name, *clause, *adjective;
};
constexpr Sky skies[] = {{"rain", "it rained", "rainy"},         {"snow", "it snowed", "snowy"},
                         {"sun", "the sun shone", "sunny"},      {"wind", "the wind blew", "windy"},
                         {"fog", "there was fog", "foggy"},      {"storm", "a storm raged", "stormy"},
                         {"clouds", "clouds went by", "cloudy"}, {"frost", "it froze", "frosty"}};
constexpr const char* glad[] = {"happy", "glad", "proud", "calm", "cheerful"};
constexpr const char* sorry[] = {"sad", "angry", "tired", "lonely", "bored"};
/// A subject of opinions, and words for liking and disliking it.
struct Matter {
  const char* subject;
  const char* liked[4];
  const char* disliked[4];
};
constexpr Matter matters[] = {{"the food", {"fresh", "tasty", "warm", "sweet"}, {"stale", "burnt", "bitter", "cold"}},
                              {"the room", {"clean", "bright", "quiet", "cozy"}, {"dirty", "dark", "noisy", "cramped"}},
                              {"the cook", {"kind", "friendly", "polite", "cheerful"}, {"rude", "lazy", "angry", "careless"}},
                              {"the bed", {"soft", "clean", "cozy", "warm"}, {"hard", "dirty", "broken", "damp"}},
                              {"the view", {"lovely", "bright", "wide", "grand"}, {"dull", "ugly", "grey", "poor"}},
                              {"the music", {"lovely", "sweet", "gentle", "grand"}, {"noisy", "dull", "harsh", "awful"}}};

template <class T, std::size_t n>
const T& one(const T (&all)[n], Rng& rng) {
  return all[rng.below(static_cast<Index>(n))];
}
bool chance(double p, Rng& rng) { return rng.uniform() < p; }

std::string capital(std::string s) {
  if (!s.empty() && s[0] >= 'a' && s[0] <= 'z') s[0] = static_cast<char>(s[0] - 'a' + 'A');
  return s;
}
std::string a(const std::string& words) {
  return (std::string("aeiou").find(words[0]) == std::string::npos ? "a " : "an ") + words;
}
std::string at(const Place& place) { return text(place.in, " the ", place.name); }

/// "the food was warm" or "… burnt"
std::string opinion(bool liked, const Matter& matter, Rng& rng) {
  return text(matter.subject, " was ", liked ? one(matter.liked, rng) : one(matter.disliked, rng));
}
/// An opinion about a food alone, "the soup was warm".
std::string of_food(bool liked, const char* food, Rng& rng) {
  const std::string name = food;
  return text("the ", name, name.back() == 's' ? " were " : " was ",
              liked ? one(matters[0].liked, rng) : one(matters[0].disliked, rng));
}

}  // namespace

std::string story(Rng& rng) {
  const Person& person = one(people, rng);
  const Place& place = one(places, rng);
  const Sky& sky = one(skies, rng);
  const std::string food = one(foods, rng), thing = one(things, rng), color = one(colors, rng), he = person.he;
  const bool liked = chance(0.5, rng);
  const std::string feeling = liked ? one(glad, rng) : one(sorry, rng);
  const Person& friendly = one(people, rng);
  std::string all;
  const auto say = [&](const std::string& sentence) { all += (all.empty() ? "" : " ") + capital(sentence) + "."; };
  const auto pick = [&](std::initializer_list<std::string> ways) {
    say(*(ways.begin() + rng.below(size_of(ways))));
  };

  pick({text("one ", sky.adjective, " day ", person.name, " was ", at(place)), text(person.name, " went out when ", sky.clause),
        text("on a ", sky.adjective, " morning ", person.name, " stood ", at(place)),
        text("while ", sky.clause, ", ", person.name, " was ", at(place)),
        text(person.name, " was ", at(place), " when ", sky.clause)});
  if (chance(0.6, rng))
    pick({text(he, " found ", a(color + " " + thing), " ", at(place)), text(person.name, " carried ", a(color + " " + thing)),
          text("there was ", a(color + " " + thing), ", and ", he, " gave it to ", friendly.name)});
  if (chance(0.55, rng)) {
    pick({text(he, " ate ", food, " with ", friendly.name), text(person.name, " had ", food, " ", at(place)),
          text(friendly.name, " brought ", food, " for ", person.name)});
    pick({text(capital(of_food(liked, food.c_str(), rng)), ", so ", he, " was ", feeling),
          text(he, " was ", feeling, " because ", of_food(liked, food.c_str(), rng))});
  } else {
    const Index m = rng.below(static_cast<Index>(std::size(matters)));
    const Matter &first = matters[m], &second = matters[(m + 1 + rng.below(static_cast<Index>(std::size(matters)) - 1)) %
                                                        static_cast<Index>(std::size(matters))];
    const bool also = chance(0.7, rng) ? liked : !liked;
    say(text(opinion(liked, first, rng), also == liked ? " and " : " but ", opinion(also, second, rng)));
    if (also == liked) pick({text("so ", person.name, " was ", feeling), text(he, " went home and was ", feeling)});
    else say(text(person.name, " did not know what to think"));
  }
  // Some stories follow a list of words, and some are followed by a question: both teach the model to look back.
  if (chance(0.35, rng)) {
    std::vector<std::string> words{person.name};
    for (const std::string& word : {std::string(place.name), food, thing, feeling})
      if (all.find(word) != std::string::npos) words.push_back(word);
    words.emplace_back(sky.name);
    for (std::size_t i = words.size(); i > 1; --i)
      std::swap(words[i - 1], nth(words, rng.below(static_cast<Index>(i))));
    std::string list;
    for (const std::string& word : words) list += (list.empty() ? "" : ", ") + word;
    all = text("Words: ", list, ". ", all);
  }
  const Index questions = rng.below(4);
  for (Index q = 0; q < questions; ++q) {
    const Index kind = rng.below(4);
    const auto ask = [&](const std::string& question, const std::string& answer) {
      all += text(" Question: ", question, "? Answer: ", answer, ".");
    };
    const bool told_place = all.find(text("the ", place.name)) != std::string::npos;
    const bool told_food = all.find(food) != std::string::npos, told_thing = all.find(thing) != std::string::npos;
    if (kind == 0) ask("who was it", person.name);
    else if (kind == 1 && told_place) ask("which place", place.name);
    else if (kind == 2 && told_food) ask("which food", food);
    else if (kind == 3 && told_thing) ask("which thing", color + " " + thing);
    else ask("which weather", sky.name);
  }
  return all;
}

Description description(Rng& rng) {
  const Person& person = one(people, rng);
  const Place& place = one(places, rng);
  const Sky& sky = one(skies, rng);
  const std::string food = one(foods, rng), feeling = chance(0.5, rng) ? one(glad, rng) : one(sorry, rng);
  const bool with_sky = chance(0.6, rng), with_place = chance(0.7, rng), with_feeling = chance(0.5, rng);

  std::vector<std::string> fields{text("name: ", person.name), "food: " + food};
  if (with_place) fields.push_back(text("place: ", place.name));
  if (with_sky) fields.push_back(text("weather: ", sky.name));
  if (with_feeling) fields.push_back("feeling: " + feeling);
  for (std::size_t i = fields.size(); i > 1; --i)
    std::swap(fields[i - 1], nth(fields, rng.below(static_cast<Index>(i))));
  Description d;
  for (const std::string& field : fields) d.table += (d.table.empty() ? "" : ", ") + field;
  d.table += ".";
  d.sentence = text(with_sky ? text(" While ", sky.clause, ", ", person.name) : text(" ", person.name), " had ", food,
                    with_place ? " " + at(place) : "", with_feeling ? text(" and was ", feeling) : "", ".");
  return d;
}

Review review(Rng& rng) {
  const Index a = rng.below(static_cast<Index>(std::size(matters)));
  const Index b = (a + 1 + rng.below(static_cast<Index>(std::size(matters)) - 1)) % static_cast<Index>(std::size(matters));
  const Index kind = rng.below(3);
  const bool first = kind == 0 || (kind == 2 && chance(0.5, rng)), second = kind == 2 ? !first : first;
  const std::string one_opinion = opinion(first, matters[a], rng), other = opinion(second, matters[b], rng);
  const Place& place = one(places, rng);
  const Sky& sky = one(skies, rng);
  Review r;
  r.label = kind == 0 ? "good" : kind == 1 ? "bad" : "mixed";
  switch (rng.below(4)) {
    case 0: r.text = text("We stayed ", at(place), ". ", capital(one_opinion), ", and ", other, "."); break;
    case 1: r.text = text(capital(one_opinion), ". We came when ", sky.clause, ". ", capital(other), "."); break;
    case 2:
      r.text = text("We were ", at(place), " with ", one(people, rng).name, ". I can say that ", one_opinion, " and that ",
                    other, ".");
      break;
    default: r.text = text("One ", sky.adjective, " day ", at(place), ": ", one_opinion, ", ", other, "."); break;
  }
  return r;
}

}  // namespace graft::cli
