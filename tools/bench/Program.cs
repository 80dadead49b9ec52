using System.CommandLine;
using Graphene.Bench;
using Graphene.Bench.Training;
using Graphene.Cli.Execution;
using Spectre.Console;

// Before anything else: what the command line takes to be read would be there already, and is in no service.
if (args is ["bundle-start", var bundle])
{
    BundleStart.Load(bundle);
    return 0;
}

var models = new Option<string?>("--models")
{
    Description = "Folder with NAME.onnx and NAME.inputs/; by default a cache folder that make_models.py fills.",
};
var names = new Option<string[]>("--names")
{
    Description = "Models to measure.",
    DefaultValueFactory = _ => ["mlp", "resnet50", "mobilenet_v2", "bert_base", "gpt2_decode", "lstm"],
    AllowMultipleArgumentsPerToken = true,
};
var threads = new Option<int[]>("--threads")
{
    Description = "Thread counts.",
    DefaultValueFactory = _ => [1, 2],
    AllowMultipleArgumentsPerToken = true,
};
var rounds = new Option<int>("--rounds") { Description = "Rounds; each runs every program once.", DefaultValueFactory = _ => 3 };
var seconds = new Option<double>("--seconds")
{
    Description = "Length of a measurement: as many runs as fit, between 5 and 2000.",
    DefaultValueFactory = _ => 3,
};
var report = new Option<string?>("--report") { Description = "Markdown file to write the tables to." };

var sideBySide = new Command("models", "Graphene and ONNX Runtime, interleaved, on whole models.")
{
    models, names, threads, rounds, seconds, report,
};
sideBySide.SetAction(p => Run(() => Publish(p, SideBySide.Run(new SideBySideOptions(
    ModelSet.Locate(p.GetValue(models), p.GetRequiredValue(names)), p.GetRequiredValue(threads), p.GetValue(rounds),
    p.GetValue(seconds))))));

var sizes = new Option<int[]>("--sizes")
{
    Description = "Sizes n of the n x n x n products.",
    DefaultValueFactory = _ => [128, 256, 512, 1024, 2048],
    AllowMultipleArgumentsPerToken = true,
};
var gemm = new Command("gemm", "Square f32 matrix products as one-node models, beside ONNX Runtime and the FMA peak.")
{
    sizes, threads, rounds, seconds, report,
};
gemm.SetAction(p => Run(() => Publish(p, SideBySide.Run(new SideBySideOptions(
    ModelSet.Gemm(p.GetRequiredValue(sizes)), p.GetRequiredValue(threads), p.GetValue(rounds), p.GetValue(seconds))))));

var nameParts = new Option<string[]>("--names")
{
    Description = "Parts of the names of what is measured; all of it without them.",
    DefaultValueFactory = _ => [],
    AllowMultipleArgumentsPerToken = true,
};
var small = new Command("small", "Small graphs of a few operators, as networks of many kinds have them, beside ONNX Runtime.")
{
    nameParts, threads, rounds, seconds, report,
};
small.SetAction(p => Run(() => Publish(p, SideBySide.Run(new SideBySideOptions(
    ModelSet.Small(p.GetRequiredValue(nameParts)), p.GetRequiredValue(threads), p.GetValue(rounds), p.GetValue(seconds))))));

var torch = new Command("torch", "Graphene and PyTorch, in turns: elementwise chains, softmax, norms, sums, transposes, attention.")
{
    nameParts, threads, rounds, seconds, report,
};
torch.SetAction(p => Run(() => Publish(p, TorchSideBySide.Run(new TorchOptions(
    p.GetRequiredValue(nameParts), p.GetRequiredValue(threads), p.GetValue(rounds), p.GetValue(seconds))))));

var trainingPage = new Option<string>("--out") { Description = "The page.", DefaultValueFactory = _ => "docs/benchmarks/training.md" };
var kernels = new Option<bool>("--kernels") { Description = "Only list where the time of Graphene's step goes; PyTorch is not needed." };
var training = new Command("training", "Whole training steps with Graphene and PyTorch, in turns; writes docs/benchmarks/training.md.")
{
    nameParts, threads, rounds, seconds, kernels, trainingPage,
};
training.SetAction(p => Run(() =>
{
    var options = new TorchOptions(p.GetRequiredValue(nameParts), p.GetRequiredValue(threads), p.GetValue(rounds), p.GetValue(seconds));
    if (p.GetValue(kernels))
    {
        TrainingSideBySide.ShowKernels(options);
        return;
    }
    Report measured = TrainingSideBySide.Run(options);
    measured.Table.Show();
    TrainingPage.Write(p.GetRequiredValue(trainingPage), measured, ThisCommand(), options.Threads);
}));

var all = new Option<string[]>("--names")
{
    Description = "Models to compare; all that make_models.py writes without it.",
    DefaultValueFactory = _ =>
    [
        "mlp", "mlp_dyn", "lenet", "lstm", "resnet50", "mobilenet_v2", "bert_base", "minilm", "minilm_dyn", "gpt2_decode",
        "gpt2_decode_dyn", "gpt2_prefill",
    ],
    AllowMultipleArgumentsPerToken = true,
};
var bound = new Option<double>("--bound")
{
    Description = "What an output may differ, relative to its largest value.",
    DefaultValueFactory = _ => 1e-4,
};
var agreement = new Command(
    "agree", "Compare all outputs of Graphene and ONNX Runtime on whole models, and both with the same model in f64.")
{
    models, all, bound, report,
};
agreement.SetAction(p => Run(() =>
{
    (ResultTable table, bool agrees) = Agreement.Run(
        ModelSet.Locate(p.GetValue(models), p.GetRequiredValue(all)), p.GetValue(bound));
    Publish(p, new Report(table, "Largest difference of an output over its largest value."));
    if (!agrees)
    {
        throw new BenchException("not all models agree");
    }
}));

var filter = new Option<string>("--filter") { Description = "Only ops whose name contains this.", DefaultValueFactory = _ => "" };
var ops = new Command("ops", "Single dots, convolutions and streams of real networks, beside the FMA peak: GFLOP/s and GB/s.")
{
    filter, threads, seconds,
};
ops.SetAction(p => Run(() =>
{
    SingleOps.Run(p.GetRequiredValue(filter), p.GetRequiredValue(threads), p.GetValue(seconds)).Show();
    NarrowProducts.Run(p.GetRequiredValue(filter), p.GetRequiredValue(threads), p.GetValue(seconds)).Show();
}));

var winograd = new Command("winograd", "3x3 convolutions by their definition and by Winograd's filtering, in turns, with the errors of both.")
{
    filter, threads, seconds,
};
winograd.SetAction(p => Run(
    () => WinogradConvolutions.Run(p.GetRequiredValue(filter), p.GetRequiredValue(threads), p.GetValue(seconds)).Show()));

var probe = new Command("probe", "The machine's ceilings: f32 FMA rate, read bandwidth, and how long a cache line takes from core to core.") { threads };
probe.SetAction(p => Run(() => PrintCeilings(p.GetRequiredValue(threads))));

var scaling = new Command("threads", "One thread beside several in one process, and the cost of an empty parallel loop.")
{
    models, names, threads, seconds,
};
scaling.SetAction(p => Run(() => ThreadScaling.Print(
    ModelSet.Locate(p.GetValue(models), p.GetRequiredValue(names)), p.GetRequiredValue(threads), p.GetValue(seconds))));

var overhead = new Command("call-overhead", "What a call of a compiled graph costs beside its native code.");
overhead.SetAction(_ => Run(() =>
{
    CallOverhead.Run().Show();
    CallOverhead.RunConcurrently().Show();
}));

var bundleFile = new Argument<string>("FILE") { Description = "The bundle.", DefaultValueFactory = _ => Path.Combine(Path.GetTempPath(), "mlp.graphene") };
var writeBundle = new Command("bundle-write", "Writes a network of a million parameters as a bundle.") { bundleFile };
writeBundle.SetAction(p => Run(() => BundleStart.Write(p.GetRequiredValue(bundleFile))));
var startBundle = new Command("bundle-start", "Loads that bundle and runs it once, in a process that did nothing before.") { bundleFile };
startBundle.SetAction(p => Run(() => BundleStart.Load(p.GetRequiredValue(bundleFile))));
var bundleSpeed = new Command("bundle-speed", "That bundle and a session of the same graph, in turns.") { bundleFile };
bundleSpeed.SetAction(p => Run(() => BundleStart.Compare(p.GetRequiredValue(bundleFile)).Show()));

var output = new Option<string>("--out") { Description = "The page.", DefaultValueFactory = _ => "docs/benchmarks/cpu.md" };
var parts = new Option<string[]>("--parts")
{
    Description = "Measure only the parts with such titles; the others stay as they are.",
    DefaultValueFactory = _ => [],
    AllowMultipleArgumentsPerToken = true,
};
var page = new Command("page", "Measures everything that docs/benchmarks/cpu.md shows, and writes it; half an hour.")
{
    output, models, all, threads, rounds, seconds, parts,
};
page.SetAction(p => Run(() => new CpuPage(
    ModelSet.Locate(p.GetValue(models), p.GetRequiredValue(all)), p.GetRequiredValue(threads), p.GetValue(rounds),
    p.GetValue(seconds), ThisCommand()).Write(p.GetRequiredValue(output), p.GetRequiredValue(parts))));

return new RootCommand("Measures Graphene beside its peers. PEERS_DIR is the folder with the peers (ort_cbench, PyTorch's chroot).")
{
    page, sideBySide, gemm, small, torch, training, ops, winograd, agreement, probe, overhead, scaling, writeBundle, startBundle, bundleSpeed,
}.Parse(args).Invoke();

// Pages are for other machines: a folder of this one is told by what is in it.
string ThisCommand() =>
    $"dotnet run -c Release --project tools/bench -- {string.Join(' ', args.Select(a => Path.IsPathRooted(a) ? Path.GetFileName(a).ToUpperInvariant() : a))}";

void Publish(ParseResult p, Report measured)
{
    measured.Table.Show();
    if (p.GetValue(report) is { } path)
    {
        File.WriteAllText(path, measured.ToMarkdown(ThisCommand(), p.GetValue(threads) ?? [1]));
        Console.WriteLine($"written to {path}");
    }
}

static void PrintCeilings(IEnumerable<int> threadCounts)
{
    Table table = new Table().AddColumns("threads", "FMA GFLOP/s", "read GB/s", "core to core ns");
    foreach (int count in threadCounts)
    {
        Ceilings c = Ceilings.Measure(count);
        table.AddRow($"{count}", $"{c.FmaGigaflops:F1}", $"{c.ReadGigabytesPerSecond:F1}", c.HandoverNanoseconds is { } ns ? $"{ns:F0}" : "-");
    }
    AnsiConsole.Write(table);
}

static int Run(Action action)
{
    try
    {
        action();
        return 0;
    }
    catch (BenchException e)
    {
        Console.Error.WriteLine(e.Message);
        return 2;
    }
}
