/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A program of C++, without exceptions: how often each word of a file comes,
 * the most frequent first. words FILE OUT
 */
#include <algorithm>
#include <cstdio>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace
{

struct closer {
	void operator()(FILE *f) const { (void)fclose(f); }
};
using file = std::unique_ptr<FILE, closer>;

using counts = std::map<std::string, unsigned>;

counts
read(FILE *f)
{
	counts all;
	std::string word;

	for (int c = 0; c != EOF;) {
		c = getc(f);
		if (c != EOF && c > ' ') {
			word.push_back(static_cast<char>(c));
		} else if (!word.empty()) {
			++all[word];
			word.clear();
		}
	}
	return all;
}

} // namespace

int
main(int argc, char *argv[])
{
	if (argc != 3)
		return 2;
	file in(fopen(argv[1], "r")), out(fopen(argv[2], "w"));
	if (!in || !out)
		return 1;
	const counts all = read(in.get());
	std::vector<std::pair<std::string, unsigned>> v(all.begin(),
	    all.end());
	std::stable_sort(v.begin(), v.end(), [](const auto &a, const auto &b) {
		return a.second > b.second;
	});
	for (const auto &[word, n] : v)
		if (fprintf(out.get(), "%u %s\n", n, word.c_str()) < 0)
			return 1;
	printf("%zu words\n", v.size());
	return fflush(out.get()) == 0 ? 0 : 1;
}
