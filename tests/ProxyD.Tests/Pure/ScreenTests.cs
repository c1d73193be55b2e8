using ProxyD.Tools;

namespace ProxyD.Tests.Pure;

/// <summary>A picture that replaces the one before it.</summary>
public sealed class ScreenTests
{
    [Theory]
    [InlineData("a\nbcd\n", 80, 24, "\e[Ha\e[K\nbcd\e[K\n\e[J")]
    [InlineData("a\nbcd\n", 2, 24, "\e[Ha\e[K\nbc\e[K\n\e[J")]
    [InlineData("a\nbcd\ne\n", 80, 3, "\e[Ha\e[K\nbcd\e[K\n\e[J")]
    [InlineData("a\nbcd\n", 80, 1, "\e[Ha\e[K\n\e[J")]
    [InlineData("", 80, 24, "\e[H\e[K\n\e[J")]
    public void Lines_replace_lines_and_never_scroll(string text, int width, int height, string expected) =>
        // Goal: what was longer is cleared, and nothing wraps or goes below the last line.
        Assert.Equal(expected, Screen.InPlace(text, width, height));
}
