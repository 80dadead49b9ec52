using System.Reflection;
using System.Runtime.InteropServices;
using Graphene.Codegen;
using Graphene.Codegen.Llvm;
using NUnit.Framework;

namespace Graphene.Tests.Codegen.Llvm;

/// <summary>libLLVM is found where systems keep it, and its absence is explained.</summary>
internal sealed class LlvmLibraryTests
{
    [Test]
    public void TheLibraryIsFoundAndNewEnough()
    {
        LlvmLibraryInfo info = LlvmLibrary.Load();

        Assert.That(info.Version.Major, Is.GreaterThanOrEqualTo(LlvmLibrary.MinimumMajorVersion));
        Assert.That(LlvmLibrary.Load(), Is.SameAs(info));
    }

    [Test]
    public void AMissingFileIsNamedWithTheVariableThatNamesIt()
    {
        string path = Path.Combine(Path.GetTempPath(), "no-such-folder", "libLLVM.so");

        var error = Assert.Throws<NativeLibraryException>(() => LlvmLibrary.Find(path))!;

        Assert.That(error.Attempts, Is.EqualTo(new[] { new NativeLibraryAttempt(path, "not found") }));
        Assert.That(error.Id.Code, Is.EqualTo("GR5001"));
        Assert.That(error.Fix, Does.Contain("GRAPHENE_LLVM_PATH"));
        Assert.That(error.Message, Does.StartWith("GR5001 LLVM: the library was not found\n  at   not found: " + path));
        Assert.That(error.Message, Does.Contain("\n  why  LLVM 19 or newer is needed, for example as "));
    }

    [Test]
    public void AFolderWithoutTheLibraryIsRefused()
    {
        string folder = Directory.CreateTempSubdirectory("graphene").FullName;
        try
        {
            var error = Assert.Throws<NativeLibraryException>(() => LlvmLibrary.Find(folder))!;
            Assert.That(error.Message, Does.Contain($"\n  at   {folder}: a folder without a libLLVM"));
        }
        finally
        {
            Directory.Delete(folder);
        }
    }

    [Test]
    public void GarbageIsRefused()
    {
        string path = Path.GetTempFileName();
        try
        {
            File.WriteAllText(path, "this is no shared library");
            var error = Assert.Throws<NativeLibraryException>(() => LlvmLibrary.Find(path))!;
            Assert.That(error.Message, Does.Contain($"\n  at   {path}: cannot be loaded"));
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Test]
    public void AnotherLibraryIsRefused()
    {
        string runtime = Path.GetDirectoryName(typeof(object).Assembly.Location)!;
        string other = Directory.GetFiles(runtime, "*System.Native.*")
            .First(f => !f.EndsWith(".dll", StringComparison.Ordinal) || OperatingSystem.IsWindows());

        var error = Assert.Throws<NativeLibraryException>(() => LlvmLibrary.Open([other], "mend it"))!;

        Assert.That(error.Attempts.Single().Problem, Is.EqualTo("not an LLVM library"));
        Assert.That(error.Message, Does.EndWith("\n  fix  mend it"));
    }

    [Test]
    public void AnOldLibraryIsRefused()
    {
        string[] names =
            ["libLLVM.so.18.1", "libLLVM-17.so.1", "libLLVM-16.so.1", "libLLVM-15.so.1", "libLLVM-14.so.1"];
        string? installed = Array.Find(names, name => NativeLibrary.TryLoad(name, out _));
        if (installed is null)
        {
            Assert.Ignore("no LLVM from 14 to 18 is installed");
        }

        var error = Assert.Throws<NativeLibraryException>(() => LlvmLibrary.Open([installed!], "mend it"))!;

        Assert.That(error.Attempts.Single().Problem, Does.Match("^LLVM (15 or older|1[678]\\..*), which is too old$"));
        Assert.That(error.Message, Does.Contain($"\n  at   {installed}: LLVM 1"));
    }

    [TestCase("16.0.6", "LLVM 16.0.6, which is too old")]
    [TestCase("18.1.8", "LLVM 18.1.8, which is too old")]
    [TestCase("19.1.0", "")]
    [TestCase("22.1.0", "")]
    public void VersionsFromNineteenOnAreAccepted(string version, string problem)
    {
        Assert.That(LlvmLibrary.ProblemWith(Version.Parse(version)), Is.EqualTo(problem));
    }

    [Test]
    public void EverySystemHasItsPlaces()
    {
        string[] linux = [.. LlvmSearchPath.OnLinux()];
        string[] mac = [.. LlvmSearchPath.OnMacOS()];
        string[] windows = [.. LlvmSearchPath.OnWindows(@"C:\tools;D:\msys64\mingw64\bin\")];

        Assert.That(linux, Does.Contain("libLLVM.so.19.1"));
        Assert.That(linux, Does.Contain("libLLVM-19.so.1"));
        Assert.That(linux, Does.Contain("/usr/lib/llvm-19/lib/libLLVM.so.19.1"));
        Assert.That(linux, Does.Contain("/usr/lib64/llvm20/lib64/libLLVM.so"));
        Assert.That(linux, Is.Unique);
        Assert.That(
            Array.IndexOf(linux, "libLLVM.so.19.1"), Is.LessThan(Array.IndexOf(linux, "libLLVM.so.20.1")));
        Assert.That(mac, Does.Contain("/opt/homebrew/opt/llvm/lib/libLLVM.dylib"));
        Assert.That(mac, Does.Contain("/usr/local/opt/llvm@19/lib/libLLVM.dylib"));
        Assert.That(windows.Any(p => p.EndsWith(@"\LLVM\bin\LLVM-C.dll", StringComparison.Ordinal)));
        Assert.That(windows, Does.Contain(@"D:\msys64\mingw64\bin\libLLVM-19.dll"));
    }

    [TestCase("ID=debian\nVERSION_ID=\"13\"", "sudo apt-get install libllvm19")]
    [TestCase("NAME=x\nID=linuxmint\nID_LIKE=\"ubuntu debian\"", "sudo apt-get install libllvm19")]
    [TestCase("ID=\"rocky\"\nID_LIKE=\"rhel centos fedora\"", "sudo dnf install llvm-libs")]
    [TestCase("ID=arch", "sudo pacman -S llvm-libs")]
    [TestCase("ID=alpine", "sudo apk add llvm19-libs")]
    [TestCase("", "install libLLVM 19 with the package manager")]
    public void TheFixIsTheCommandOfTheDistribution(string osRelease, string command)
    {
        Assert.That(LlvmInstallHint.ForLinux(osRelease), Does.StartWith(command));
    }

    [Test]
    public void EveryBoundFunctionExists()
    {
        nint handle = LlvmLibrary.Ensure().Handle;
        string[] missing =
        [
            .. typeof(LLVMSharp.Interop.LLVM)
                .GetMethods(BindingFlags.Static | BindingFlags.Public)
                .Where(m => m.Attributes.HasFlag(MethodAttributes.PinvokeImpl))
                .Select(m => "LLVM" + m.Name)
                .Where(name => !NativeLibrary.TryGetExport(handle, name, out _)),
        ];

        Assert.That(missing, Is.Empty);
    }
}
