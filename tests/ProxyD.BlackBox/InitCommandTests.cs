using System.Text.Json;
using ProxyD.BlackBox.Harness;

namespace ProxyD.BlackBox;

/// <summary><c>proxyd init</c> where no systemd is needed: what it shows, what it writes into a folder, and what it refuses.</summary>
public sealed class InitCommandTests : IDisposable
{
    private static readonly string[] s_web = ["web", "--public=8080", "--backend=127.0.0.1:18080", "--exec=PORT=18080 /usr/bin/node /srv/app.js"];

    private readonly TemporaryFolder _folder = new();

    public InitCommandTests() => Requires.Proxyd();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Without_more_it_shows_all_files_and_what_install_would_do()
    {
        // Goal: a look costs nothing, and says where each file would go.
        string shown = Succeed([.. s_web, "--idle-stop=10min"]);
        string[] paths = ["systemd/system/web.socket", "systemd/system/web.service", "systemd/system/web-backend.service",
            "sysusers.d/web-proxy.conf", "polkit-1/rules.d/50-proxyd-web.rules"];
        Assert.All(paths, path => Assert.Contains($"# /etc/{path}: new\n", shown, StringComparison.Ordinal));
        Assert.Contains("\nListenStream=8080\n", shown, StringComparison.Ordinal);
        Assert.Contains("Nothing was written. With --install:\n", shown, StringComparison.Ordinal);
        Assert.Contains("  systemctl enable --now web.socket\n", shown, StringComparison.Ordinal);
        Assert.EndsWith("Then: proxyd verify web.socket\n", shown, StringComparison.Ordinal);
    }

    [Fact]
    public void Into_a_folder_it_writes_the_files_and_nothing_else()
    {
        // Goal: readable by all, the same bytes as shown, and a second time nothing; what differs is shown and kept beside.
        string folder = _folder.File("new");
        string first = Succeed([.. s_web, $"--dest={folder}"]);
        string[] names = ["50-proxyd-web.rules", "web-backend.service", "web-proxy.conf", "web.service", "web.socket"];
        Assert.Equal(names, Directory.GetFiles(folder).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        Assert.All(Directory.GetFiles(folder), path => Assert.Contains(File.ReadAllText(path), first, StringComparison.Ordinal));

        string second = Succeed([.. s_web, $"--dest={folder}"]);
        Assert.Contains("web.service: unchanged\n", second, StringComparison.Ordinal);
        Assert.Equal(5, Directory.GetFiles(folder).Length);

        string third = Succeed([.. s_web, $"--dest={folder}", "--wait-bind=9s"]);
        Assert.Contains("\n+ExecStart=", third, StringComparison.Ordinal);
        Assert.Single(Directory.GetFiles(folder, "web.service.bak-*"));
    }

    [Fact]
    public void A_drop_in_lies_in_a_folder_of_the_units_name()
    {
        // Goal: without a systemd that could tell, a unit that is there is taken for one that restarts itself.
        Succeed(["web", "--public=8080", "--backend=127.0.0.1:18080", "--unit=nobody-has-this", $"--dest={_folder.File("new")}"]);
        Assert.Contains("\nRestart=no\n", File.ReadAllText(_folder.File("new/nobody-has-this.service.d/50-proxyd.conf")), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("8080", "127.0.0.1:18080", "")]
    [InlineData("8080", "127.0.0.1:18080", "--plain")]
    [InlineData("8080", "127.0.0.1:18080", "--user")]
    [InlineData("192.0.2.1:80", "[::1]:18080", "--run-as=www-data")]
    [InlineData("/run/web/a.sock", "/run/web-backend/b.sock", "")]
    [InlineData("/run/web/a.sock", "/run/web-backend/b.sock", "--plain")]
    [InlineData("/run/web/a.sock", "/run/web-backend/b.sock", "--run-as=www-data")]
    [InlineData("@web", "@web-backend", "")]
    public void What_it_writes_passes_its_own_check(string listen, string backend, string option)
    {
        // Goal: init makes none of the traps that check knows.
        string[] options = option.Length > 0 ? [option] : [];
        string folder = _folder.File("new");
        string[] addresses = [$"--public={listen}", $"--backend={backend}"];
        Succeed(["web", .. addresses, "--exec=/usr/bin/env node /srv/app.js", "--idle-stop=10min", $"--dest={folder}", .. options]);
        (int exitCode, string output, string errors) = Run(["check", folder, .. options.Where(o => o == "--user")]);
        Assert.True(exitCode == 0, $"{output}{errors}");
        Assert.DoesNotContain("PXD", output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("PORT=8080 /usr/bin/node /srv/app.js", "(PXD006): port 8080 is the public one")]
    [InlineData("/usr/bin/docker run -p 8080:80 web", "(PXD006): port 8080 is the public one")]
    [InlineData("/usr/bin/web --port=18081", "(PXD038): the backend is told port 18081")]
    [InlineData("/usr/bin/web --listen=0.0.0.0:18080", "(PXD007): 0.0.0.0 is every interface")]
    public void A_command_that_names_another_port_is_noted(string command, string note)
    {
        // Goal: what check would find in a command is said before anything is written.
        string shown = Succeed(["web", "--public=8080", "--backend=127.0.0.1:18080", $"--exec={command}"]);
        Assert.Contains($"Note: proxyd check will say of web-backend.service {note}", shown, StringComparison.Ordinal);
    }

    [Fact]
    public void As_JSON_it_is_one_document()
    {
        // Goal: programs find paths, texts and steps, and whether something was written.
        JsonElement shown = JsonDocument.Parse(Succeed([.. s_web, "--json"])).RootElement;
        Assert.False(shown.GetProperty("written").GetBoolean());
        Assert.Equal("proxyd verify web.socket", shown.GetProperty("next").GetString());
        JsonElement socket = shown.GetProperty("files")[0];
        Assert.Equal(("/etc/systemd/system/web.socket", "new"), (socket.GetProperty("path").GetString(), socket.GetProperty("state").GetString()));
        Assert.Contains("ListenStream=8080\n", socket.GetProperty("text").GetString(), StringComparison.Ordinal);
        Assert.StartsWith("--- /dev/null\n+++ b/etc/systemd/system/web.socket\n", socket.GetProperty("diff").GetString(), StringComparison.Ordinal);
        Assert.Equal("systemctl enable --now web.socket", shown.GetProperty("steps").EnumerateArray().Last().GetString());

        JsonElement written = JsonDocument.Parse(Succeed([.. s_web, "--json", $"--dest={_folder.File("new")}"])).RootElement;
        Assert.True(written.GetProperty("written").GetBoolean());
    }

    [Theory]
    [InlineData("NAME 'a/b'", "a/b --public=8080 --backend=127.0.0.1:18080 --exec=/bin/true")]
    [InlineData("--public is missing; expected --public=ADDR", "web --backend=127.0.0.1:18080 --exec=/bin/true")]
    [InlineData("--backend is missing; expected --backend=ADDR", "web --public=8080 --exec=/bin/true")]
    [InlineData("--public: 'localhost:80' is not accepted", "web --public=localhost:80 --backend=127.0.0.1:18080 --exec=/bin/true")]
    [InlineData("--backend: '18080' is not accepted", "web --public=80 --backend=18080 --exec=/bin/true")]
    [InlineData("are the same for the kernel", "web --public=8080 --backend=127.0.0.1:8080 --exec=/bin/true")]
    [InlineData("neither --exec nor --unit", "web --public=8080 --backend=127.0.0.1:18080")]
    [InlineData("--exec and --unit both", "web --public=8080 --backend=127.0.0.1:18080 --exec=/bin/true --unit=x")]
    [InlineData("'node' is no absolute path", "web --public=8080 --backend=127.0.0.1:18080 --exec=node")]
    [InlineData("--exec: there are only variables in it", "web --public=8080 --backend=127.0.0.1:18080 --exec=PORT=1")]
    [InlineData("\" is never closed", "web --public=8080 --backend=127.0.0.1:18080 --exec=/bin/a\"b")]
    [InlineData("--exec: '' is not accepted", "web --public=8080 --backend=127.0.0.1:18080 --exec= /bin/true")]
    [InlineData("--idle-stop: 'soon' is not accepted", "web --public=8080 --backend=127.0.0.1:18080 --exec=/bin/true --idle-stop=soon")]
    [InlineData("--idle-stop=0", "web --public=8080 --backend=127.0.0.1:18080 --exec=/bin/true --idle-stop=0")]
    [InlineData("expected --idle-stop=TIME", "web --public=8080 --backend=127.0.0.1:18080 --exec=/bin/true --plain")]
    [InlineData("--unit: 'a/b' is not accepted", "web --public=8080 --backend=127.0.0.1:18080 --unit=a/b")]
    [InlineData("would make web.service, which is the backend", "web --public=8080 --backend=127.0.0.1:18080 --unit=web")]
    [InlineData("--install and --dest", "web --public=8080 --backend=127.0.0.1:18080 --exec=/bin/true --install --dest=x")]
    [InlineData("/etc/passwd is a file; expected a folder", "web --public=8080 --backend=127.0.0.1:18080 --exec=/bin/true --dest=/etc/passwd")]
    [InlineData("/etc/passwd is a file; expected a folder", "web --public=8080 --backend=127.0.0.1:18080 --exec=/bin/true --dest=/etc/passwd/x/y")]
    [InlineData("'' stands behind --run-as", "web --public=8080 --backend=127.0.0.1:18080 --exec=/bin/true --run-as ")]
    [InlineData("--frobnicate", "web --public=8080 --backend=127.0.0.1:18080 --exec=/bin/true --frobnicate")]
    public void What_is_wrong_is_one_line_and_nothing_is_written(string expected, string arguments)
    {
        // Goal: the line names the mistake and what would be right; exit code 2; not a file made.
        string folder = _folder.File("new");
        string[] words = [.. arguments.Split(' '), .. arguments.Contains("--dest", StringComparison.Ordinal) ? (string[])[] : [$"--dest={folder}"]];
        (int exitCode, string output, string errors) = Run(["init", .. words]);
        Assert.Equal(2, exitCode);
        Assert.Equal("", output);
        Assert.StartsWith("proxyd: ", Assert.Single(errors.Split('\n', StringSplitOptions.RemoveEmptyEntries)), StringComparison.Ordinal);
        Assert.Contains(expected, errors, StringComparison.Ordinal);
        Assert.False(Directory.Exists(folder));
    }

    [Fact]
    public void What_it_writes_can_be_read_by_all_whatever_the_umask()
    {
        // Goal: root's umask may be 077, and systemctl cat, check and status are everybody's.
        string folder = _folder.File("new");
        using Subject proxyd = Subject.Start(new SubjectSetup { Prelude = ["umask 077"], Arguments = ["init", .. s_web, $"--dest={folder}"] });
        Assert.Equal(0, proxyd.WaitForExit());
        const UnixFileMode Read = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead;
        Assert.All(Directory.GetFiles(folder), file => Assert.Equal(Read, File.GetUnixFileMode(file)));
        const UnixFileMode Enter = UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;
        Assert.Equal(Read | Enter, File.GetUnixFileMode(folder));
    }

    [Fact]
    public void A_folder_that_can_not_be_written_is_named()
    {
        // Goal: no stack trace, no half of the files.
        (int exitCode, _, string errors) = Run(["init", .. s_web, "--dest=/proc/self/task"]);
        Assert.Equal(2, exitCode);
        Assert.StartsWith("proxyd: /proc/self/task/web.socket can't be written: ", Assert.Single(errors.TrimEnd().Split('\n')), StringComparison.Ordinal);
    }

    private static string Succeed(string[] arguments)
    {
        (int exitCode, string output, string errors) = Run(["init", .. arguments]);
        Assert.True(exitCode == 0 && errors.Length == 0, $"exit code {exitCode}\n{output}{errors}");
        return output;
    }

    private static (int ExitCode, string Output, string Errors) Run(params string[] arguments)
    {
        using Subject proxyd = Subject.Start(new SubjectSetup { Arguments = arguments });
        int exitCode = proxyd.WaitForExit();
        return (exitCode, string.Concat(proxyd.Output.Select(line => line + "\n")), string.Concat(proxyd.Log.Select(line => line + "\n")));
    }
}
