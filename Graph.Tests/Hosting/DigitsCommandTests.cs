using System.Text.Json;
using Graphene.Samples.Digits;
using Graphene.Samples.DigitsConsole;
using Graphene.Samples.DigitsWorker;
using Graphene.Tests.Support;
using Microsoft.Extensions.Hosting;
using NUnit.Framework;

namespace Graphene.Tests.Hosting;

/// <summary>The samples tools/samples/DigitsConsole and DigitsWorker.</summary>
internal sealed class DigitsCommandTests : FolderFixture
{
    private string Bundle => Folder.Combine("digits.graphene");

    [SetUp]
    public void WriteBundle() => File.WriteAllBytes(Bundle, DigitsMaterial.Bundle);

    [Test]
    public void TheConsoleReadsPictures()
    {
        string[] pictures = [.. Enumerable.Range(0, 3).Select(i => Folder.Combine($"{i}.png"))];
        for (int i = 0; i < pictures.Length; i++)
        {
            File.WriteAllBytes(pictures[i], PngEncoder.Grey(DigitsMaterial.Drawing(i)));
        }
        using var output = new StringWriter();
        using var errors = new StringWriter();

        int status = DigitsCommand.Run([Bundle, .. pictures, "missing.png"], output, errors);

        Assert.That(status, Is.EqualTo(1));
        Assert.That(
            output.ToString().ReplaceLineEndings("\n").Split('\n', StringSplitOptions.RemoveEmptyEntries),
            Is.EqualTo(pictures.Select((p, i) => $"{p}: {DigitsMaterial.Label(i)} (")).Using<string>(
                (line, start) => line.StartsWith(start, StringComparison.Ordinal)));
        Assert.That(errors.ToString(), Does.StartWith("missing.png: "));
    }

    [Test]
    public void TheConsoleSaysWhatIsWrongWithTheModel()
    {
        string other = Folder.Combine("other.graphene");
        File.WriteAllBytes(other, ScaleBundles.Two);
        using var output = new StringWriter();
        using var errors = new StringWriter();

        Assert.That(DigitsCommand.Run([other, "x.png"], output, errors), Is.EqualTo(2));
        Assert.That(errors.ToString(), Does.Contain("'scale' reads no digits"));
        Assert.That(DigitsCommand.Run([], output, errors), Is.EqualTo(2));
        Assert.That(errors.ToString(), Does.Contain("usage: digits MODEL.graphene PICTURE..."));
    }

    [Test]
    public async Task TheWorkerWritesAResultForEachPicture()
    {
        string inbox = Folder.Combine("in"), outbox = Folder.Combine("out");
        Directory.CreateDirectory(inbox);
        File.WriteAllBytes(Path.Combine(inbox, "before.png"), PngEncoder.Grey(DigitsMaterial.Drawing(0)));
        using IHost worker = DigitsWorkerApp.Create(
            ["--Models:Digits:Path", Bundle, "--Folders:Inbox", inbox, "--Folders:Outbox", outbox]);
        await worker.StartAsync();

        GreyImage small = DigitsMaterial.Image(1);
        byte[] header = System.Text.Encoding.ASCII.GetBytes($"P5 {small.Width} {small.Height} 255\n");
        await File.WriteAllBytesAsync(Path.Combine(inbox, "later.pgm"), [.. header, .. small.Pixels]);
        await File.WriteAllTextAsync(Path.Combine(inbox, "broken.png"), "no picture");
        await File.WriteAllTextAsync(Path.Combine(inbox, "notes.txt"), "no picture either");

        await TestHost.Until(() => Directory.GetFiles(outbox, "*.json").Length == 3, "three results");
        await worker.StopAsync();
        Assert.That(Read("before.png").Digit, Is.EqualTo(DigitsMaterial.Label(0)));
        Assert.That(Read("later.pgm").Digit, Is.EqualTo(DigitsMaterial.Label(1)));
        Assert.That(Read("broken.png").Error, Is.EqualTo("not a PNG file"));
        Assert.That(Directory.GetFiles(outbox), Has.Length.EqualTo(3), "no other file, whole or in part");

        PictureResult Read(string picture) => JsonSerializer.Deserialize<PictureResult>(
            File.ReadAllText(Path.Combine(outbox, picture + ".json")), JsonSerializerOptions.Web)!;
    }
}
