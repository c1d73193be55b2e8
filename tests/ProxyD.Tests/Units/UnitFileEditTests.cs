using ProxyD.Units;

namespace ProxyD.Tests.Units;

public sealed class UnitFileEditTests
{
    [Theory]
    [InlineData("[Unit]\nAfter=a\n[Service]\nUser=a\n", "[Unit]\nAfter=b\n[Service]\nUser=a\n")]
    [InlineData("[Unit]\nAfter=a\nAfter=c \\\n d\n", "[Unit]\nAfter=a\nAfter=b\n")]
    [InlineData("[Unit]\nWants=a\n\n# of the next\n[Service]\nUser=a\n", "[Unit]\nWants=a\nAfter=b\n\n# of the next\n[Service]\nUser=a\n")]
    [InlineData("[Unit]\n[Service]\nUser=a\n", "[Unit]\nAfter=b\n[Service]\nUser=a\n")]
    [InlineData("[Service]\nUser=a", "[Service]\nUser=a\n\n[Unit]\nAfter=b\n")]
    [InlineData("[Unit]\nWants=a", "[Unit]\nWants=a\nAfter=b\n")]
    [InlineData("[Unit]\nWants=a \\", "[Unit]\nWants=a \\\n\nAfter=b\n")]
    [InlineData("[Unit]\nWants=a \\\n# open\n", "[Unit]\nWants=a \\\n# open\n\nAfter=b\n")]
    [InlineData("[Unit]\r\nWants=a\r\n", "[Unit]\r\nWants=a\r\nAfter=b\r\n")]
    [InlineData("[Unit]\nWants=a\n[Service]\nUser=a\n[Unit]\nBefore=a\n", "[Unit]\nWants=a\n[Service]\nUser=a\n[Unit]\nBefore=a\nAfter=b\n")]
    [InlineData("", "[Unit]\nAfter=b\n")]
    public void Setting_a_key_changes_its_line_and_no_other(string text, string expected)
    {
        // Goal: the last assignment, else the section's end, else a new section; line ends are the file's; nothing is swallowed by a continuation.
        UnitFile file = UnitFile.Parse(text, "a.service");
        file.Set("Unit", "After", "b");
        Assert.Equal(expected, file.ToText());
        Assert.Contains(UnitFile.Parse(file.ToText(), "a.service").Assignments, a => a.Section == "Unit" && a.Item.Name == "After" && a.Item.Value == "b");
    }

    [Fact]
    public void Lines_are_replaced_removed_and_put_in_by_identity()
    {
        // Goal: of two equal lines the one that was meant is changed.
        UnitFile file = UnitFile.Parse("[Unit]\nAfter=a\nAfter=a\n", "a.service");
        UnitItem second = file.Items[2];
        file.InsertBefore(second, UnitFile.Comment("why"));
        file.InsertAfter(second, UnitFile.Assignment("Wants", "c"));
        file.Remove(file.Items[1]);
        file.Replace(second, UnitFile.Assignment("After", "b"));
        Assert.Equal("[Unit]\n# why\nAfter=b\nWants=c\n", file.ToText());
        Assert.Throws<ArgumentException>(() => file.Remove(second));
    }

    [Theory]
    [InlineData("After", "a\nUser=b")]
    [InlineData("# After", "a")]
    [InlineData("", "a")]
    [InlineData("After", "a\0b")]
    [InlineData("[After", "a]")]
    public void What_would_be_read_back_as_something_else_is_refused(string key, string value) =>
        // Goal: no value can smuggle a second line in.
        Assert.Throws<ArgumentException>(() => UnitFile.Assignment(key, value));
}
