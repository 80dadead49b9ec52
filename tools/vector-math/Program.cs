using System.CommandLine;
using Graphene;
using Graphene.Codegen.Aot;
using Graphene.Codegen.Llvm;
using Graphene.VectorMath;

var names = new Option<string[]>("--functions")
{
    Description = "Functions by their names in ScalarOp, such as Exponential; by default all.",
    DefaultValueFactory = _ => [],
    AllowMultipleArgumentsPerToken = true,
};
var step = new Option<uint>("--step")
{
    Description = "Check every n-th f32; 1 for all 2^32.",
    DefaultValueFactory = _ => 1,
};
var pairs = new Option<long>("--pairs")
{
    Description = "How many random pairs functions of two arguments are checked with.",
    DefaultValueFactory = _ => 200_000_000,
};
var threads = new Option<int>("--threads")
{
    Description = "How many threads check.",
    DefaultValueFactory = _ => Environment.ProcessorCount,
};
var accuracy = new Command("accuracy", "The largest error of each f32 function over all inputs, against f64.")
{
    names, step, pairs, threads,
};
accuracy.SetAction(p => Run(p.GetRequiredValue(names), function => AccuracyCheck.Run(
    function, Math.Max(1, p.GetValue(step)), p.GetValue(pairs), Math.Max(1, p.GetValue(threads)))));

var target = new Option<string>("--target")
{
    Description = "The machine whose instructions are used, such as x86-64-v3; this one without it.",
};
var rounds = new Option<int>("--rounds") { Description = "Rounds; the fastest counts.", DefaultValueFactory = _ => 200 };
var speed = new Command("speed", "The time of each f32 function along an array in L2, beside a copy of the same array.")
{
    names, rounds, target,
};
speed.SetAction(p => Run(
    p.GetRequiredValue(names), function => SpeedProbe.Run(function, Math.Max(1, p.GetValue(rounds)), Machine(p.GetValue(target)))));

var assembly = new Command("assembly", "The code of each f32 function along an array.") { names, target };
assembly.SetAction(p => Run(p.GetRequiredValue(names), function => Console.WriteLine(SpeedProbe.Code(function, Machine(p.GetValue(target))))));

return new RootCommand("Measures vector math: errors and speed of the compiled functions.") { accuracy, speed, assembly }
    .Parse(args).Invoke();

static LlvmTarget Machine(string? name) => name is null ? LlvmTarget.Host() : AotTarget.Parse(name).Variants[0].Machine;

static int Run(string[] names, Action<MathFunction> action)
{
    foreach (string name in names.Where(n => !MathFunction.All.Any(f => f.Name == n)))
    {
        Console.Error.WriteLine($"There is no function '{name}'. Functions: {string.Join(", ", MathFunction.All.Select(f => f.Name))}");
        return 2;
    }
    foreach (MathFunction function in MathFunction.All.Where(f => names.Length == 0 || names.Contains(f.Name)))
    {
        action(function);
    }
    return 0;
}
