using ProxyD.Migrations;
using static ProxyD.Tests.Migrations.MigrationWorld;

namespace ProxyD.Tests.Migrations;

/// <summary>Command lines of templates, whose instance only systemd knows, and of programs under another name.</summary>
public sealed class MigrationTemplateTests
{
    private const string Script = "#!/bin/sh\n"
        + "for i in $(seq 5); do nc -z 127.0.0.1 \"1$1\" && break; sleep 1; done\n"
        + "exec " + SocketProxyd + " \"127.0.0.1:1$1\"\n";

    [Theory]
    [InlineData("ExecStart=/bin/sh -c 'exec " + SocketProxyd + " 127.0.0.1:1%i'", "127.0.0.1:1%i")]
    [InlineData("ExecStart=/opt/wrap %i", "127.0.0.1:1%i --wait-bind=5s")]
    [InlineData("Environment=PORT=1%i\nExecStart=/bin/sh -c 'exec " + SocketProxyd + " -c 5%% 127.0.0.1:$PORT'", "-c 5%% 127.0.0.1:1%i")]
    [InlineData(
        "ExecStartPre=/bin/sh -c 'until curl -sf http://127.0.0.1:1%i/up/%i; do sleep 1; done'\nExecStart=" + SocketProxyd + " 127.0.0.1:1%i",
        "127.0.0.1:1%i --wait-bind=90s --ready=http:/up/%i,200-399")]
    public void A_template_keeps_its_instance(string lines, string rest)
    {
        // Goal: %i stays what it is, through shells, scripts, variables and guards; a percent sign that was none stays none.
        (string, string)[] files = [("web@.socket", Socket), ("web@.service", $"[Service]\n{lines}\n"), ("/opt/wrap", Script)];

        Assert.Equal($"/opt/proxyd {rest}", Minimal(files).Line("web@.service", "ExecStart"));
    }

    [Fact]
    public void A_resident_template_keeps_its_instance_too()
    {
        // Goal: the same in the other form.
        Migration made = Resident(
            ("web@.socket", Socket), ("web@.service", "[Unit]\nBindsTo=app@%i.service\n[Service]\nExecStart=/opt/wrap %i\n"),
            ("app@.service", AppUnit), ("/opt/wrap", Script));

        Assert.Equal("/opt/proxyd 127.0.0.1:1%i --backend-unit=app@%i.service --wait-bind=5s", made.Line("web@.service", "ExecStart"));
    }

    [Theory]
    [InlineData("@" + SocketProxyd + " web --wait-bind=0 127.0.0.1:18080", "")]
    [InlineData("-@/opt/wrap name 8080", "-")]
    public void Another_name_for_the_program_goes_where_its_line_is_written_anew(string command, string prefix)
    {
        // Goal: the name behind @ isn't swapped for the destination, and no @ is left that would take the destination for a name.
        (string, string)[] files =
        [
            ("web.socket", Socket), ("web.service", $"[Unit]\nBindsTo=app.service\n[Service]\nExecStartPre=/bin/sleep 9\nExecStart={command}\n"),
            ("app.service", AppUnit), ("/opt/wrap", Script),
        ];

        Assert.StartsWith($"{prefix}/opt/proxyd 127.0.0.1:18080 ", Minimal(files).Line("web.service", "ExecStart"), StringComparison.Ordinal);
        Assert.StartsWith($"{prefix}/opt/proxyd 127.0.0.1:18080 ", Resident(files).Line("web.service", "ExecStart"), StringComparison.Ordinal);
    }
}
