namespace ProxyD.EndToEnd;

/// <summary><c>proxyd check</c> by the names of units, as a real systemd has loaded them.</summary>
public sealed class CheckTests(Lab lab) : EndToEndTest(lab)
{
    private const string DropIn = "/etc/systemd/system/brainstorm.service.d/start.conf";

    // Goal: without a target it finds the trio by itself, and sees what drop-ins add and take away.
    [Fact]
    public void Loaded_trios_are_found_and_read_with_their_drop_ins()
    {
        Install(UnitFiles.OfTrio("brainstorm"));
        Assert.Equal(["PXD003", "PXD009"], Found());
        Assert.Equal(["PXD003", "PXD009"], Found("brainstorm-backend.service", "brainstorm.socket"));

        Lab.Write(DropIn, "[Service]\nExecStartPre=\n[Unit]\nPartOf=brainstorm-backend.service\nStartLimitIntervalSec=0\n");
        try
        {
            Lab.Systemctl("daemon-reload");
            Assert.Equal(["PXD009"], Found("brainstorm.service"));
        }
        finally
        {
            File.Delete(Lab.PathOf(DropIn));
        }
    }

    // Goal: an instance is read from its template, with its own name in it.
    [Fact]
    public void Instances_are_read_from_their_templates()
    {
        Install(UnitFiles.OfIncumbent("template"), "8001");
        Assert.Equal(["PXD002"], Found("app@8001.service"));
        Assert.Contains("app-backend@8001.service listens", Lab.Run(Lab.Proxyd, "check", "app@8001.socket").Output, StringComparison.Ordinal);
    }

    // Goal: a template can be asked for; what a socket that accepts starts is judged with it, from either side.
    [Fact]
    public void A_template_is_judged_with_its_socket()
    {
        Install(UnitFiles.OfIncumbent("jellyfin-accept"));
        Assert.Equal(["PXD003", "PXD014"], Found("jellyfin@.service"));
        Assert.Equal(["PXD003", "PXD014"], Found("jellyfin.socket"));
        Assert.Equal(["PXD003", "PXD014"], Found());
        Install(UnitFiles.OfIncumbent("template"), "8001");
        Assert.Equal(["PXD002"], Found("app@.service"));
        Assert.Contains("app@.socket", Lab.Run(Lab.Proxyd, "check", "--json", "app@.service").Output, StringComparison.Ordinal);
    }

    // Goal: a unit can be asked for by an alias, and a tie by an alias leads to it.
    [Fact]
    public void A_unit_is_known_by_its_aliases()
    {
        Install(UnitFiles.OfTrio("brainstorm"));
        string[] aliases = ["/etc/systemd/system/storm.service", "/etc/systemd/system/storm-backend.service"];
        try
        {
            File.CreateSymbolicLink(Lab.PathOf(aliases[0]), "brainstorm.service");
            File.CreateSymbolicLink(Lab.PathOf(aliases[1]), "brainstorm-backend.service");
            string text = File.ReadAllText(Lab.PathOf("/etc/systemd/system/brainstorm.service"));
            Lab.Write("/etc/systemd/system/brainstorm.service", text.Replace("brainstorm-backend.service", "storm-backend.service", StringComparison.Ordinal));
            Lab.Systemctl("daemon-reload");
            Assert.Equal(["PXD003", "PXD009"], Found("storm.service"));
            Assert.Equal(["PXD003", "PXD009"], Found("storm"));
        }
        finally
        {
            foreach (string alias in aliases)
                File.Delete(Lab.PathOf(alias));
        }
    }

    // Goal: a backend names no proxy and a socket may not be loaded, and each is judged with its trio all the same.
    [Fact]
    public void Any_unit_of_a_trio_leads_to_the_others()
    {
        Install(UnitFiles.OfTrio("brainstorm"));
        Assert.Equal(["PXD003", "PXD009"], Found("brainstorm-backend"));

        Lab.Systemctl("stop", "brainstorm.socket");
        string tied = "/etc/systemd/system/brainstorm.socket.d/tied.conf";
        try
        {
            Lab.Write(tied, "[Unit]\nPartOf=brainstorm.service\n");
            Lab.Systemctl("daemon-reload");
            Assert.Equal(["PXD001", "PXD003", "PXD009"], Found("brainstorm"));
        }
        finally
        {
            File.Delete(Lab.PathOf(tied));
        }
    }

    // Goal: what systemctl enable makes of RequiredBy= is a tie, whether units are asked for by name or as files.
    [Fact]
    public void A_link_in_a_folder_is_a_dependency()
    {
        Install(UnitFiles.OfTrio("brainstorm"));
        string folder = Lab.PathOf("/etc/systemd/system/brainstorm.socket.requires");
        Directory.CreateDirectory(folder);
        try
        {
            File.CreateSymbolicLink(folder + "/brainstorm.service", "../brainstorm.service");
            Lab.Systemctl("daemon-reload");
            Assert.Equal(["PXD001", "PXD003", "PXD009"], Found("brainstorm"));
            Assert.Equal(["PXD001", "PXD003", "PXD009"], Found("/etc/systemd/system/brainstorm.socket"));
            Assert.Contains("brainstorm.service", Lab.Run("systemctl", "show", "-p", "Requires", "brainstorm.socket").Output, StringComparison.Ordinal);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    // Goal: a masked backend is one that can't be started, by name and as files.
    [Theory]
    [InlineData("brainstorm"), InlineData("/etc/systemd/system/brainstorm.service")]
    public void A_masked_backend_is_told(string target)
    {
        Install(UnitFiles.OfTrio("brainstorm"));
        string backend = Lab.PathOf("/etc/systemd/system/brainstorm-backend.service");
        string text = File.ReadAllText(backend);
        try
        {
            File.Delete(backend);
            File.CreateSymbolicLink(backend, "/dev/null");
            Lab.Systemctl("daemon-reload");
            CommandResult result = Lab.Run(Lab.Proxyd, "check", target);
            Assert.Contains("brainstorm-backend.service does not exist or is masked", result.Output, StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(backend);
            File.WriteAllText(backend, text);
        }
    }

    // Goal: a name that systemd does not have is told in one line.
    [Fact]
    public void A_unit_that_does_not_exist_is_told()
    {
        CommandResult result = Lab.Run(Lab.Proxyd, "check", "nobody-has-this.service");
        Assert.Equal((2, ""), (result.ExitCode, result.Output));
        Assert.StartsWith("proxyd: there is no unit nobody-has-this.service", result.Errors, StringComparison.Ordinal);
    }

    /// <summary>The errors and warnings among the first sixteen rules, in order.</summary>
    private string[] Found(params string[] targets)
    {
        CommandResult result = Lab.Run([Lab.Proxyd, "check", .. targets]);
        Assert.Equal("", result.Errors);
        return
        [
            .. result.Output.Split('\n').Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
                .Where(words => words is ["error" or "warning", ['P', 'X', 'D', ..], ..] && string.CompareOrdinal(words[1], "PXD017") < 0)
                .Select(words => words[1]).Order(StringComparer.Ordinal),
        ];
    }
}
